/**
 * Reads tensors from JSON: nested arrays, `{ "shape": […], "data": […] }`, or an object of either
 * by name. NaN is null or "NaN", infinities are "Infinity" and "-Infinity"; Python's bare NaN,
 * Infinity and -Infinity are read too. JSONL: one array, or one number, on each line.
 */

import { GruvError, locate } from '../../errors.ts'
import { type Named, sizeOf, type Tensor } from '../../tensor.ts'
import { isCount } from '../checks.ts'
import { countDigits, type Digits, noDigits } from '../numbers/decimal.ts'
import { NumberList } from '../numbers/number-list.ts'
import { quote, showExtents } from '../show.ts'
import { eachLine } from '../text.ts'
import { isJsonObject } from './object.ts'
import { parseJson } from './text.ts'

/** The name of an array that came without one. */
export const LONE = 'data'

/**
 * The tensors of a JSON text, dtype `text`, each with the digits it was printed with. An array
 * without a name is called `data`.
 * @throws GruvError `bad-file` for text that is not JSON or holds no arrays; `bad-shape` for arrays
 *   that are no regular block, with the path (`x[3][1]`); `too-large` for more than 64 levels.
 */
export function readJson(text: string): Named<Tensor> {
  const digits = new Map<string, Digits>()
  const value = parseJson(text, (from, to, keys) => {
    // The key `data` of a lone `{ shape, data }` is also the name of a lone array.
    if (keys.at(-1) !== 'shape') countDigits(text, from, to, digitsOf(digits, keys[0] ?? LONE))
  })
  const tensor = (each: unknown, name: string, path: string): Tensor => ({
    ...toBlock(each, path),
    dtype: 'text',
    printed: digitsOf(digits, name),
  })
  if (!isJsonObject(value) || isShapeAndData(value)) return { [LONE]: tensor(value, LONE, '') }
  const entries = Object.entries(value)
  if (entries.length === 0) {
    throw new GruvError('bad-file', 'the object is empty', { expected: 'arrays by name' })
  }
  return Object.fromEntries(entries.map(([name, each]) => [name, tensor(each, name, name)]))
}

/**
 * A tensor from lines of JSON: [lines, …shape of one line].
 * @throws GruvError as `readJson`; `bad-shape` when a line has another shape than the first.
 */
export function readJsonLines(text: string): Tensor {
  const printed = noDigits()
  const numbers = new NumberList()
  let shape: readonly number[] | null = null
  let firstLine = 0
  let lines = 0
  for (const { line, number } of eachLine(text)) {
    if (line.trim() === '') continue
    const row = locate(`line ${number}`, () => readJsonLine(line, printed))
    if (shape === null) {
      shape = row.shape
      firstLine = number
    }
    if (!sameShape(row.shape, shape)) {
      throw new GruvError('bad-shape', 'the lines have different shapes', {
        where: `line ${number}`,
        expected: `${showExtents(shape)}, as line ${firstLine}`,
        got: showExtents(row.shape),
      })
    }
    for (const value of row.data) numbers.push(value)
    lines++
  }
  if (shape === null) {
    throw new GruvError('bad-file', 'there are only blank lines', { expected: 'an array on each' })
  }
  return { shape: [lines, ...shape], data: numbers.toArray(), dtype: 'text', printed }
}

/** One line: an array, or a number on its own, whose shape is []. */
export function readJsonLine(line: string, printed: Digits = noDigits()): Tensor {
  const value = parseJson(line, (from, to) => countDigits(line, from, to, printed))
  return { ...toBlock(value, ''), dtype: 'text', printed }
}

function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((extent, i) => extent === b[i])
}

function digitsOf(digits: Map<string, Digits>, name: string): Digits {
  const known = digits.get(name)
  if (known !== undefined) return known
  const none = noDigits()
  digits.set(name, none)
  return none
}

/** Significant digits that tell any two float32 numbers apart. */
const FLOAT32_DIGITS = 9

/**
 * An array out of parsed JSON, such as the weights in a description of a network. Numbers that were
 * float32 before they were printed give a Float32Array: each is exactly a float32, or was printed
 * with no more digits than a float32 needs.
 * @throws GruvError `bad-shape` for arrays that are no regular block.
 */
export function tensorFromJson(value: unknown, path: string): Tensor {
  const { shape, data } = toBlock(value, path)
  const single = data.every(
    (each) => Math.fround(each) === each || Number(each.toPrecision(FLOAT32_DIGITS)) === each,
  )
  return { shape, data: single ? Float32Array.from(data) : data }
}

function isShapeAndData(
  value: unknown,
): value is { readonly shape: readonly unknown[]; readonly data: readonly unknown[] } {
  return isJsonObject(value) && Array.isArray(value.shape) && Array.isArray(value.data)
}

interface Block {
  readonly shape: readonly number[]
  readonly data: Float64Array
}

function toBlock(value: unknown, path: string): Block {
  if (!isShapeAndData(value)) return fromNested(value, path)
  const shape = value.shape.map((extent, i) => toExtent(extent, `${path}.shape[${i}]`))
  const { data } = fromNested(value.data, `${path}.data`, 1)
  if (sizeOf(shape) !== data.length) {
    throw new GruvError('bad-shape', 'the data does not fill the shape', {
      ...placed(path),
      expected: `${sizeOf(shape)} numbers for ${showExtents(shape)}`,
      got: `${data.length}`,
    })
  }
  return { shape, data }
}

function toExtent(value: unknown, path: string): number {
  if (isCount(value)) return value
  throw new GruvError('bad-shape', 'an extent is a whole number, 0 or more', {
    where: path,
    got: show(value),
  })
}

/**
 * The first elements give the shape, and every other one has to agree with it. The numbers are
 * gathered before they are counted: a short text can claim a very large shape.
 */
function fromNested(root: unknown, path: string, mostAxes = Number.POSITIVE_INFINITY): Block {
  const shape: number[] = []
  for (let level = root; Array.isArray(level) && shape.length < mostAxes; level = level[0]) {
    shape.push(level.length)
  }
  const numbers = new NumberList()
  const index: number[] = []
  const place = (): string => path + index.map((i) => `[${i}]`).join('')
  const gather = (value: unknown, axis: number): void => {
    if (axis === shape.length) {
      numbers.push(toNumber(value, place))
    } else if (Array.isArray(value) && value.length === shape[axis]) {
      index.push(0)
      for (let i = 0; i < value.length; i++) {
        index[axis] = i
        gather(value[i], axis + 1)
      }
      index.pop()
    } else throw irregular(place(), `an array of ${shape[axis]}`, value)
  }
  gather(root, 0)
  return { shape, data: numbers.toArray() }
}

function toNumber(value: unknown, place: () => string): number {
  if (typeof value === 'number') return value
  if (value === null || value === 'NaN') return Number.NaN
  if (value === 'Infinity') return Number.POSITIVE_INFINITY
  if (value === '-Infinity') return Number.NEGATIVE_INFINITY
  throw irregular(place(), 'a number', value)
}

function irregular(path: string, expected: string, value: unknown): GruvError {
  const problem = 'this is not a regular block of numbers'
  return new GruvError('bad-shape', problem, { ...placed(path), expected, got: show(value) })
}

function placed(path: string): { where: string } | undefined {
  return path === '' ? undefined : { where: path }
}

function show(value: unknown): string {
  if (Array.isArray(value)) return `an array of ${value.length}`
  if (isJsonObject(value)) return 'an object'
  return typeof value === 'string' ? quote(value) : `${value}`
}
