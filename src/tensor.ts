/**
 * Numbers with a shape: the one currency between files, models and programs.
 */

import { type ErrorDetails, GruvError } from './errors.ts'

/** How the numbers were stored where they came from. `text` and `json` are printed decimals. */
export type DType =
  | 'bool'
  | 'int8'
  | 'uint8'
  | 'int16'
  | 'uint16'
  | 'int32'
  | 'uint32'
  | 'int64'
  | 'uint64'
  | 'float16'
  | 'bfloat16'
  | 'float32'
  | 'float64'
  | 'text'

/**
 * How finely printed numbers were printed, over a whole table: what is known of a value v is
 * v ± ½·max(10^−decimals, 10^(⌊log10|v|⌋ + 1 − significant)).
 * The maximum over all entries counts, since printers drop trailing zeros but never add digits.
 */
export interface PrintedDigits {
  /** Most digits after the decimal point, exponents applied (`1.25e-3` has 5). */
  readonly decimals: number
  /** Most significant digits of one entry, leading zeros not counted. */
  readonly significant: number
}

/** Row-major (C order) values. Plain data: make one with an object literal. */
export interface Tensor {
  readonly shape: readonly number[]
  /** float16, bfloat16 and float32 sources arrive as Float32Array, everything else as Float64Array. */
  readonly data: Float32Array | Float64Array
  /** The storage type of the source; when absent, that of `data`. */
  readonly dtype?: DType
  /** Present when `dtype` is `text`. */
  readonly printed?: PrintedDigits
}

export type Named<T> = Readonly<Record<string, T>>

/** Values by name, of which some names are known to be there, also under `noUncheckedIndexedAccess`. */
export type WithNames<Name extends string, T> = Named<T> & { readonly [N in Name]: T }

export type NestedNumbers = readonly (number | NestedNumbers)[]

/** What a program accepts as a tensor: a tensor, nested arrays, or flat numbers of one sequence. */
export type TensorLike =
  | { readonly shape: readonly number[]; readonly data: ArrayLike<number> }
  | NestedNumbers
  | Float32Array
  | Float64Array

/** The number of elements of a shape. */
export function sizeOf(shape: readonly number[]): number {
  let size = 1
  for (const extent of shape) size *= extent
  return size
}

/** `[2, 3]` → `"[2, 3]"`, as every message prints a shape. */
export function showShape(shape: readonly (number | string)[]): string {
  return `[${shape.join(', ')}]`
}

/** Of numbers whose shape is none of those that would do. */
export function unfit(
  problem: string,
  where: string,
  expected: readonly (readonly (number | string)[])[],
  got: readonly number[],
  more: ErrorDetails = {},
): GruvError {
  return new GruvError('bad-shape', problem, {
    where,
    expected: expected.map(showShape).join(' or '),
    got: showShape(got),
    ...more,
  })
}

/** The storage type a tensor's numbers came in. */
export function dtypeOf(tensor: Tensor): DType {
  return tensor.dtype ?? (tensor.data instanceof Float32Array ? 'float32' : 'float64')
}

/**
 * Nested arrays or a `{ shape, data }` as a Tensor. Numbers that already lie in a typed array are
 * not copied; flat typed arrays become one axis.
 * @param where named in messages.
 * @throws GruvError `bad-shape` when rows differ in length or the shape does not hold the data.
 */
export function toTensor(value: TensorLike, where: string): Tensor {
  if (value instanceof Float32Array || value instanceof Float64Array)
    return { shape: [value.length], data: value }
  if (Array.isArray(value)) return fromNested(value, where)
  if (typeof value !== 'object' || value === null || !('shape' in value && 'data' in value)) {
    throw new GruvError('bad-argument', 'this is not a tensor', {
      where,
      expected: 'nested arrays of numbers, a typed array, or { shape, data }',
      got: value === null ? 'null' : typeof value,
    })
  }
  const { shape, data } = value as { shape: readonly number[]; data: ArrayLike<number> }
  if (
    !shape.every((extent) => Number.isInteger(extent) && extent >= 0) ||
    sizeOf(shape) !== data.length
  ) {
    throw new GruvError('bad-shape', 'the data does not fill the shape', {
      where,
      expected: `${sizeOf(shape)} numbers for ${showShape(shape)}`,
      got: `${data.length}`,
    })
  }
  if (data instanceof Float32Array || data instanceof Float64Array) return value as Tensor
  return { shape, data: Float64Array.from(data) }
}

function fromNested(value: NestedNumbers, where: string): Tensor {
  const shape: number[] = []
  for (
    let level: NestedNumbers[number] | undefined = value;
    Array.isArray(level);
    level = level[0]
  ) {
    shape.push(level.length)
  }
  // Gathered before anything is allocated: ragged arrays can claim far more than they hold.
  const numbers: number[] = []
  const fill = (level: NestedNumbers[number], axis: number, path: string): void => {
    if (
      Array.isArray(level)
        ? level.length !== shape[axis]
        : axis !== shape.length || typeof level !== 'number'
    ) {
      throw new GruvError('bad-shape', 'the nested arrays are not a regular block of numbers', {
        where: where + path,
        expected: axis === shape.length ? 'a number' : `an array of ${shape[axis]}`,
        got: Array.isArray(level) ? `an array of ${level.length}` : typeof level,
      })
    }
    if (Array.isArray(level)) level.forEach((inner, i) => fill(inner, axis + 1, `${path}[${i}]`))
    else numbers.push(level as number)
  }
  fill(value, 0, '')
  return { shape, data: Float64Array.from(numbers) }
}

/** |a − b|: 0 for equal numbers and for two NaN, infinite where one alone is NaN. */
export function distance(a: number, b: number): number {
  if (a === b || (Number.isNaN(a) && Number.isNaN(b))) return 0
  const error = Math.abs(a - b)
  return Number.isNaN(error) ? Number.POSITIVE_INFINITY : error
}

/** The largest distance between two lists of numbers; infinite where their lengths differ. */
export function largestDistance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY
  let largest = 0
  for (let i = 0; i < a.length; i++) largest = Math.max(largest, distance(a[i], b[i]))
  return largest
}
