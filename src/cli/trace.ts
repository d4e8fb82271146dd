/** `gruv trace`: shows every gate and state at every step, as numbers, pictures or a page. */

import { Command, Option } from 'commander'
import { GruvError, type Model, type Named, type Tensor } from '../index.ts'
import { isRecurrent, statesOf } from '../model/index.ts'
import { type PlotKind, plot, plotKinds, type ReportOptions, report } from '../report/index.ts'
import { compareModels, type ModelComparison, trace } from '../trace/index.ts'
import { readNamed } from './files.ts'
import { addTableFlags, readInputs, type TableFlags } from './inputs.ts'
import { addMaskFlags, type MaskFlags, readMaskFlags } from './masks.ts'
import {
  addConventionFlags,
  type ConventionFlags,
  collect,
  limitsOf,
  loadModel,
  MODEL_ARGUMENT,
} from './options.ts'
import { writeWhole } from './output-files.ts'
import { withProgress } from './progress.ts'
import { parseReading } from './reading.ts'
import { heading, print } from './render.ts'
import { fitted } from './terminal.ts'
import { writeTrace } from './trace-arrays.ts'
import { printTrace, statisticsAsJson } from './trace-print.ts'
import { printVerdict, verifyFiles } from './verify.ts'

interface TraceFlags extends ConventionFlags, MaskFlags, TableFlags {
  readonly input: readonly string[]
  readonly output?: string
  readonly steps?: string
  readonly row: number
  readonly initialState?: readonly string[]
  readonly expected?: readonly string[]
  readonly plot?: PlotKind
  readonly against?: string
  readonly as?: string
  readonly json?: boolean
}

type Target = 'terminal' | 'arrays' | 'page' | 'svg' | 'png'

/** By the ending of the file's name. */
const targets: Readonly<Record<string, Target>> = {
  npz: 'arrays',
  json: 'arrays',
  html: 'page',
  htm: 'page',
  svg: 'svg',
  png: 'png',
}

export function traceCommand(): Command {
  const command = new Command('trace')
    .description('Shows what every gate does: as numbers, as pictures, as a page to look at.')
    .argument('<model>', MODEL_ARGUMENT)
    .requiredOption(
      '--input <[name=]file>',
      'input data (.npy .npz .csv .tsv .txt .json .jsonl)',
      collect,
    )
    .option(
      '--output <file>',
      '.html: a page; .svg, .png: a picture; .npz, .json: every value as arrays; default: the terminal',
    )
    .option(
      '--steps <from:to>',
      'of these timesteps only, from the first to before the last: 0:100, :100 or 300:',
    )
    .option('--row <number>', 'which row of a batch pictures show', wholeNumber('--row'), 0)
    .option('--initial-state <file>', 'the state that the sequence starts from', collect)
    .option('--expected <[name=]file>', 'the outputs as they should be: shows the error', collect)
    .addOption(
      new Option('--plot <what>', 'which picture goes into an .svg or .png').choices(plotKinds),
    )
    .option('--against <model>', 'another model, to compare with gate by gate')
    .option(
      '--as <conventions>',
      'the other one read so, such as reset=before,update=updates,bias=merged',
    )
    .option('--json', 'print the statistics as JSON')
    .addHelpText(
      'after',
      `
--layer NAME shows that layer only. --quirk acts on the first model alone, not on that of --against or --as. Arrays are called LAYER.VALUE and are [batch, timesteps, units]: xz xr xn hz hr hn z r n h of a GRU.

Examples:
  gruv trace layer.npz --input x.npy
  gruv trace model.safetensors --input x.npy --expected y.npy --output look.html
  gruv trace model.safetensors --input x.npy --output gates.png --plot gates --steps 0:100
  gruv trace layer.npz --input x.npy --as update=updates,bias=merged`,
    )
  return addConventionFlags(addTableFlags(addMaskFlags(command))).action(
    async (path: string, flags: TraceFlags) => {
      const target = targetOf(flags)
      const { model, layers } = await loadTraced(path, flags)
      const inputs = model.inputs.map(({ name }) => name)
      const { input, mask } = await readInputs(flags.input, inputs, flags)
      if (mask && flags.mask !== undefined && flags.expected !== undefined) {
        throw new GruvError('bad-argument', 'the error is shown for one mask only', {
          where: '--mask, --missing mask',
          fix: 'Mark the steps that lack values in the file of --mask, and fill them with --missing zero.',
        })
      }
      const options = { ...(layers && { layers }), ...(await traceOptions(model, flags, mask)) }
      const comparison = await compared(path, model, input, flags, options)
      if (target === 'arrays') {
        await withProgress('gruv trace', (onProgress) =>
          writeTrace(trace(model, input, options), flags.output!, onProgress),
        )
        return
      }
      const verdict =
        flags.expected === undefined
          ? undefined
          : await verifyFiles(model, { ...flags, expected: flags.expected, precision: 'f32' })
      const all: ReportOptions = {
        ...options,
        row: flags.row,
        ...(verdict && { verdict }),
        ...(comparison && { comparison }),
      }
      if (target === 'terminal') {
        if (flags.json)
          print(JSON.stringify(statisticsAsJson(model, input, options, comparison), null, 2))
        else {
          printTrace(model, input, { ...options, row: flags.row })
          if (comparison) printComparison(comparison)
          if (verdict) printVerdict(verdict)
        }
        return
      }
      const make = (onProgress: (share: number) => void) => async (): Promise<Uint8Array> => {
        const options = { ...all, onProgress }
        return target === 'page'
          ? new TextEncoder().encode(await report(model, input, options))
          : plot(model, input, flags.plot ?? 'gates', { ...options, format: target })
      }
      await withProgress('gruv trace', (onProgress) =>
        writeWhole(new Map([[flags.output!, make(onProgress)]])),
      )
    },
  )
}

interface Loaded {
  readonly model: Model
  /** The layers to trace; all by default. */
  readonly layers?: readonly string[]
}

/**
 * Here `--layer` selects the layer to trace. Only for a file of weights alone does it select the
 * layer to load, as in other commands.
 */
async function loadTraced(path: string, { layer, ...flags }: ConventionFlags): Promise<Loaded> {
  if (layer === undefined) return { model: await loadModel(path, flags) }
  try {
    return { model: await loadModel(path, flags), layers: [layer] }
  } catch (error) {
    const model = await loadModel(path, { ...flags, layer }).catch(() => null)
    if (model === null) throw error
    return { model }
  }
}

/** Refuses flags that contradict each other, before anything is computed. */
function targetOf({ output, plot: what, expected, against, as, json }: TraceFlags): Target {
  const target = output === undefined ? 'terminal' : targetOfName(output)
  const refuse = (flag: string, problem: string, fix: string): never => {
    throw new GruvError('bad-argument', problem, { where: flag, fix })
  }
  if (what !== undefined && target !== 'svg' && target !== 'png')
    refuse(
      '--plot',
      'only a picture can be chosen',
      'Give --output a name that ends in .svg or .png.',
    )
  if (what === 'error' && expected === undefined)
    refuse(
      '--plot error',
      'there is nothing to compare with',
      'Give --expected, the outputs as they should be.',
    )
  if (json && target !== 'terminal')
    refuse(
      '--json',
      'statistics are printed, and nothing is when a file is written',
      'Leave --output out.',
    )
  if (target === 'arrays' && expected !== undefined)
    refuse('--expected', 'arrays hold no error', 'Write .html, or use gruv verify.')
  if ((target === 'arrays' || what !== undefined) && (against ?? as) !== undefined)
    refuse(
      '--against, --as',
      'a comparison is words and tables',
      'Write .html, or leave --output out.',
    )
  return target
}

function targetOfName(name: string): Target {
  const ending = /\.([^./\\]+)$/.exec(name)?.[1].toLowerCase() ?? ''
  if (Object.hasOwn(targets, ending)) return targets[ending]
  throw new GruvError('bad-argument', 'the name does not say what to write', {
    where: '--output',
    expected: `a name that ends in one of ${Object.keys(targets)
      .map((each) => `.${each}`)
      .join(' ')}`,
    got: name,
  })
}

interface ParsedOptions {
  readonly mask?: Tensor
  readonly lengths?: readonly number[]
  readonly layers?: readonly string[]
  readonly steps?: readonly [from: number, to?: number]
  readonly initialState?: Named<Tensor>
}

async function traceOptions(
  model: Model,
  flags: TraceFlags,
  mask?: Tensor,
): Promise<ParsedOptions> {
  if (!model.nodes.some(isRecurrent)) {
    throw new GruvError('unsupported', 'nothing in this model carries a state', {
      where: model.name,
      expected: 'a GRU, an LSTM or a simple RNN',
      got: model.nodes.map(({ kind }) => kind).join(', '),
    })
  }
  const states = model.nodes.flatMap(statesOf).map(({ name }) => name)
  return {
    ...(await readMaskFlags(flags, mask)),
    ...limitsOf(flags),
    ...(flags.steps !== undefined && { steps: parseSteps(flags.steps) }),
    ...(flags.initialState !== undefined && {
      initialState: await readNamed(flags.initialState, states, '--initial-state'),
    }),
  }
}

function parseSteps(text: string): readonly [from: number, to?: number] {
  const match = /^(\d*):(\d*)$/.exec(text)
  if (match !== null && text !== ':') {
    const [, from, to] = match
    return to === '' ? [Number(from)] : [Number(from), Number(to)]
  }
  throw new GruvError('bad-argument', `'${text}' are no timesteps`, {
    where: '--steps',
    expected: 'two whole numbers, such as 0:100, or one of them, such as :100 or 300:',
  })
}

async function compared(
  path: string,
  model: Model,
  input: Named<Tensor>,
  flags: TraceFlags,
  options: ParsedOptions,
): Promise<ModelComparison | undefined> {
  if (flags.against === undefined && flags.as === undefined) return undefined
  const reading = flags.as === undefined ? {} : parseReading(flags.as)
  // Quirks apply to the first model only, which is compared with one that has none.
  const { quirk: _, ...others } = flags
  const other = await loadTraced(flags.against ?? path, { ...others, ...reading })
  return compareModels(model, other.model, input, options)
}

function printComparison({ words }: ModelComparison): void {
  print(heading('What differs (first: as read; second: the other)'))
  for (const sentence of words) print(fitted(sentence))
}

function wholeNumber(flag: string): (text: string) => number {
  return (text) => {
    if (/^\d+$/.test(text)) return Number(text)
    throw new GruvError('bad-argument', `'${text}' is no whole number`, { where: flag })
  }
}
