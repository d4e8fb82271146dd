/**
 * Numbers with a shape: the one currency between files, models and programs.
 */

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

/** The storage type a tensor's numbers came in. */
export function dtypeOf(tensor: Tensor): DType {
  return tensor.dtype ?? (tensor.data instanceof Float32Array ? 'float32' : 'float64')
}
