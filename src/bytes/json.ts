/**
 * Tensors as JSON: nested arrays, `{ "shape": […], "data": […] }`, or an object of either by name.
 * NaN is null or "NaN", infinities are "Infinity" and "-Infinity"; Python's bare NaN, Infinity and
 * -Infinity are read too. JSONL: one array, or one number, on each line.
 */

import { GruvError, within } from '../errors.ts'
import { type Named, sizeOf, type Tensor } from '../tensor.ts'
import { countDigits, type Digits, noDigits } from './decimal.ts'
import { parseJson } from './json-text.ts'
import { NumberList } from './number-list.ts'
import { quote, showExtents } from './show.ts'
import { eachLine } from './text.ts'

/** The name of an array that came without one. */
export const LONE = 'data'

/**
 * The tensors of a JSON text, dtype `text`, each with the digits it was printed with. An array
 * without a name is called `data`.
 * @throws GruvError `bad-file` for what is no JSON, or holds no arrays; `bad-shape` for arrays that
 *   are no regular block, with the path (`x[3][1]`); `too-large` for more than 64 levels.
 */
export function readJson(text: string): Named<Tensor> {
  const digits = new Map<string, Digits>()
  const value = parseJson(text, (from, to, keys) => {
    // In a lone `{ shape, data }` the key is that of the lone array too.
    if (keys.at(-1) !== 'shape') countDigits(text, from, to, digitsOf(digits, keys[0] ?? LONE))
  })
  const tensor = (each: unknown, name: string, path: string): Tensor => ({
    ...toBlock(each, path),
    dtype: 'text',
    printed: digitsOf(digits, name),
  })
  if (!isObject(value) || isShapeAndData(value)) return { [LONE]: tensor(value, LONE, '') }
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
    const row = inLine(number, () => readJsonLine(line, printed))
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

function inLine<T>(number: number, read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw within(`line ${number}`, error)
  }
}

function digitsOf(digits: Map<string, Digits>, name: string): Digits {
  const known = digits.get(name)
  if (known !== undefined) return known
  const none = noDigits()
  digits.set(name, none)
  return none
}

/** Float32 numbers need no more significant digits than this to be told apart. */
const FLOAT32_DIGITS = 9

/**
 * An array out of parsed JSON, such as the weights in a description of a network. Numbers that were
 * float32 before they were printed come as such: those that are float32's own to the last digit,
 * and those of which no more digits were printed than a float32 has.
 * @throws GruvError `bad-shape` for arrays that are no regular block.
 */
export function tensorFromJson(value: unknown, path: string): Tensor {
  const { shape, data } = toBlock(value, path)
  const single = data.every(
    (each) => Math.fround(each) === each || Number(each.toPrecision(FLOAT32_DIGITS)) === each,
  )
  return { shape, data: single ? Float32Array.from(data) : data }
}

type JsonObject = Readonly<Record<string, unknown>>

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isShapeAndData(
  value: unknown,
): value is { readonly shape: readonly unknown[]; readonly data: readonly unknown[] } {
  return isObject(value) && Array.isArray(value.shape) && Array.isArray(value.data)
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
  if (Number.isSafeInteger(value) && (value as number) >= 0) return value as number
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
  if (isObject(value)) return 'an object'
  return typeof value === 'string' ? quote(value) : `${value}`
}
