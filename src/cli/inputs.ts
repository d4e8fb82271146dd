/** Reads the inputs of a model, and says what was missing in them or wrong. */

import { type Command, Option } from 'commander'
import { fillMissing, type Gap, type MissingPolicy, missingPolicies } from '../data/index.ts'
import { GruvError, type Named, type Tensor } from '../index.ts'
import { inFile, readDataFile, readNamed } from './files.ts'
import { complain } from './render.ts'

export interface TableFlags {
  readonly missing: MissingPolicy
  readonly onError: 'stop' | 'skip'
}

/** Adds `--missing` and `--on-error`. */
export function addTableFlags(command: Command): Command {
  const policies = Object.entries(missingPolicies)
  return command
    .addOption(
      new Option(
        '--missing <what>',
        `where a table or a line lacks a value: ${policies.map(([name, meaning]) => `${name}: ${meaning}`).join('; ')}`,
      )
        .choices(policies.map(([name]) => name))
        .default('stop'),
    )
    .addOption(
      new Option('--on-error <what>', 'a wrong row of a table or line: an error, or left out')
        .choices(['stop', 'skip'])
        .default('stop'),
    )
}

export interface Inputs {
  readonly input: Named<Tensor>
  /** Which steps lack no value, where the others are to be masked. */
  readonly mask?: Tensor
}

/** Arrays for the ports. Gaps in .npy and .npz go in as they are. */
export async function readInputs(
  files: readonly string[],
  ports: readonly string[],
  { missing = 'stop', onError = 'stop' }: Partial<TableFlags> = {},
): Promise<Inputs> {
  const masks: Tensor[] = []
  const read = async (path: string): Promise<Named<Tensor>> => {
    const { tensors, masks: found } = await readFilled(path, { missing, onError }, ports.length > 1)
    masks.push(...found)
    return tensors
  }
  const input = await readNamed(files, ports, '--input', read)
  return masks.length === 0 ? { input } : { input, mask: masks.reduce(bothMasks) }
}

async function readFilled(
  path: string,
  { missing, onError }: TableFlags,
  isOneOfSeveral: boolean,
): Promise<{ readonly tensors: Named<Tensor>; readonly masks: readonly Tensor[] }> {
  const skipped = new Skipped(path, onError)
  const { format, tensors, lines, columns } = await readDataFile(path, skipped.take)
  if (format === 'npy' || format === 'npz') return { tensors, masks: [] }
  const gaps: Gap[] = []
  const masks: Tensor[] = []
  const filled = Object.entries(tensors).map(([name, tensor]) => {
    try {
      const options = {
        ...(lines && { lines }),
        ...(columns && { columns }),
        onError: skipped.take,
      }
      const { tensor: whole, mask, gaps: found } = fillMissing(tensor, missing, options)
      gaps.push(...found)
      if (mask !== null) masks.push(mask)
      return [name, whole] as const
    } catch (error) {
      throw inFile(path, error)
    }
  })
  const dropped = gaps.find(({ fate }) => fate === 'drop')
  if (dropped !== undefined && isOneOfSeveral) {
    throw new GruvError(
      'bad-argument',
      'a row that is dropped from one input stays in the others',
      {
        where: `${path}: ${dropped.where}`,
        fix: 'Use --missing hold, zero or mask.',
      },
    )
  }
  tellGaps(path, gaps)
  skipped.tell('rows')
  return { tensors: Object.fromEntries(filled), masks }
}

/** A step counts where it does in both. */
export function bothMasks(a: Tensor, b: Tensor): Tensor {
  if (`${a.shape}` !== `${b.shape}`) {
    throw new GruvError('bad-shape', 'the steps with missing values do not fit the mask', {
      where: '--missing mask',
      expected: `[${a.shape.join(', ')}]`,
      got: `[${b.shape.join(', ')}]`,
    })
  }
  return { shape: a.shape, data: Float64Array.from(a.data, (count, i) => count * b.data[i]) }
}

const fates: Readonly<Record<Gap['fate'], string>> = {
  drop: 'the row is left out',
  hold: 'the last one is held',
  zero: '0 stands for it',
  mask: 'the step is masked',
}

/** Gaps of a file that are told one by one. */
const MOST_GAPS = 10

function tellGaps(path: string, gaps: readonly Gap[]): void {
  for (const gap of gaps.slice(0, MOST_GAPS)) tellGap(gap, `${path}: `)
  if (gaps.length > MOST_GAPS)
    complain(`${path}: and ${gaps.length - MOST_GAPS} more rows lack values`)
}

export function tellGap({ where, fate }: Gap, before = ''): void {
  complain(`${before}${where}: a value is missing; ${fates[fate]}`)
}

/** Counts what `--on-error skip` leaves out, and says it. */
export class Skipped {
  readonly #where: string
  /** Takes an error; undefined where errors stop the command. */
  readonly take: ((error: GruvError) => void) | undefined
  #count = 0
  #first = ''

  constructor(where: string, onError: TableFlags['onError']) {
    this.#where = where
    if (onError === 'skip')
      this.take = (error) => {
        this.#count++
        this.#first ||= error.message
      }
  }

  /** @param what was skipped, in the plural. */
  tell(what: string): void {
    if (this.#count > 0)
      complain(`${this.#where}: ${what} skipped: ${this.#count}; the first: ${this.#first}`)
  }
}
