/** Writes tensors as the JSON and JSONL that `tensors.ts` reads. */

import { GruvError } from '../../errors.ts'
import { type Named, sizeOf, type Tensor, toTensor } from '../../tensor.ts'
import { showNumber } from '../numbers/decimal.ts'
import { showExtents } from '../show.ts'
import { LONE } from './tensors.ts'

type Data = Float32Array | Float64Array

/**
 * One text for all tensors: `data` alone as nested arrays, others by name in an object. Numbers
 * have as few digits as give them back in the precision of the data; NaN is null.
 */
export function writeJson(tensors: Named<Tensor>): string {
  const entries = Object.entries(tensors)
  const { before, after, explicit } = jsonFrame(entries.map(([name]) => name))
  const arrays = entries.map(([, each], i) => {
    const { shape, data } = toTensor(each, 'tensor')
    const array = new JsonArray(shape, explicit)
    return before(i) + array.next(data) + array.end()
  })
  return arrays.join('') + after
}

/**
 * One line for each index of the first axis.
 * @throws GruvError `bad-shape` for a tensor without axes or without lines.
 */
export function writeJsonLines(tensor: Tensor): string {
  const { shape, data } = toTensor(tensor, 'tensor')
  const [lines = 0, ...rest] = shape
  if (lines === 0) {
    throw new GruvError('bad-shape', 'this gives no lines', {
      expected: 'one line or more along the first axis',
      got: showExtents(shape),
      fix: 'Write .npy or .json, which hold any shape.',
    })
  }
  const size = sizeOf(rest)
  const print = (i: number): string => {
    const array = new JsonArray(rest, false, ', ')
    return array.next(data.subarray(i * size, (i + 1) * size)) + array.end()
  }
  return `${Array.from({ length: lines }, (_, i) => print(i)).join('\n')}\n`
}

/** What surrounds the arrays of a text: several by name, or one alone. */
export interface JsonFrame {
  /** The text before the array of that index. */
  readonly before: (index: number) => string
  readonly after: string
  /**
   * Whether arrays have the form `{ shape, data }`: nested arrays of these two names would be read
   * as one tensor.
   */
  readonly explicit: boolean
}

/** The text around arrays of these names. */
export function jsonFrame(names: readonly string[]): JsonFrame {
  if (names.length === 1 && names[0] === LONE)
    return { before: () => '', after: '\n', explicit: false }
  return {
    before: (index) => `${index === 0 ? '{\n' : ',\n'}${JSON.stringify(names[index])}: `,
    after: names.length === 0 ? '{\n\n}\n' : '\n}\n',
    explicit: names.includes('shape') && names.includes('data'),
  }
}

/** Prints one array; its numbers arrive from the first to the last, in blocks of any size. */
export class JsonArray {
  private readonly shape: readonly number[]
  /** Numbers in an item of each axis. */
  private readonly sizes: readonly number[]
  private readonly explicit: boolean
  private readonly between: string
  private done = 0

  /** @param between what stands between the items of the outermost of several axes. */
  constructor(shape: readonly number[], explicit: boolean, between = ',\n ') {
    this.shape = shape
    this.sizes = shape.map((_, axis) => sizeOf(shape.slice(axis + 1)))
    // Nested arrays without a number do not show every axis.
    this.explicit = explicit || (shape.length > 1 && shape.includes(0))
    this.between = between
  }

  /** The next numbers, each with the text before it. */
  next(data: Data): string {
    const parts: string[] = []
    for (let i = 0; i < data.length; i++) parts.push(this.opening(), printNumber(data, i))
    return parts.join('')
  }

  /** After the last number. */
  end(): string {
    const none = this.done === 0 ? this.opening() : ''
    return none + (this.explicit ? ']}' : ']'.repeat(this.shape.length))
  }

  private opening(): string {
    const { shape, sizes, explicit } = this
    const at = this.done++
    if (explicit) return at === 0 ? `{"shape": [${shape.join(', ')}], "data": [` : ', '
    if (at === 0) return '['.repeat(shape.length)
    const axis = sizes.findIndex((size) => at % size === 0)
    const inner = shape.length - 1 - axis
    const between = axis === 0 && shape.length > 1 ? this.between : ', '
    return `${']'.repeat(inner)}${between}${'['.repeat(inner)}`
  }
}

function printNumber(data: Data, i: number): string {
  const value = data[i]
  if (Number.isFinite(value)) return showNumber(value, data instanceof Float32Array)
  return Number.isNaN(value) ? 'null' : `"${value}"`
}
