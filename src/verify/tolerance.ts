/**
 * Derives tolerances: how far two correct results can differ, computed from what is known, not
 * guessed.
 *
 * Three causes add up. *Storage*: the expected numbers were rounded when they were written, to a
 * dtype or to printed digits. *Arithmetic*: both implementations rounded while they computed. For
 * arithmetic in float32 we know our own error from a comparison with float64. Another float32
 * implementation sums in another order and has a similar, not the same error; hence the factor.
 * *Approximation*: runtimes compute σ and tanh in float32 by formulas whose error is absolute, and
 * does not shrink with the value.
 */

import type { ElementwiseKind } from '../model/activation/activations.ts'
import type { Model } from '../model/types.ts'
import { type DType, dtypeOf, type PrintedDigits, type Tensor } from '../tensor.ts'

export interface Tolerance {
  /** The largest error that passes for an expected value. */
  readonly at: (expected: number) => number
  /** Its largest value over the expected data. */
  readonly largest: number
  /** What it is made of, in words. */
  readonly why: string
}

/** Half a unit in the last place, relative: 2^−(significand bits). */
const unitRoundoff: Readonly<Partial<Record<DType, number>>> = {
  float16: 2 ** -11,
  bfloat16: 2 ** -8,
  float32: 2 ** -24,
  float64: 2 ** -53,
}

/**
 * Two float32 implementations that both err by about e differ by up to 2e; the other one may
 * well err twice as much as ours (other order of summation, cheaper tanh).
 */
const ARITHMETIC_FACTOR = 4

/**
 * σ and tanh of ONNX Runtime are quotients of two polynomials in float32, and σ is such a quotient
 * plus ½. The quotient is near −½ where σ is small, so its rounding errors stay: up to 2.2e-7,
 * measured over all x with the published coefficients. In TF.js's WebGL `tanh` 1 − e^(−2|x|) cancels
 * where x is small, up to 1.1e-7. 2^−22 is above all of these.
 */
const ACTIVATION_ERROR = 2 ** -22

/** The activations that runtimes compute by σ or tanh. */
const approximatedKinds: ReadonlySet<string> = new Set([
  'sigmoid',
  'tanh',
  'scaled_tanh',
  'silu',
  'gelu_tanh',
  'mish',
] satisfies ElementwiseKind[])

/** Whether any layer of a model has σ or tanh, which other runtimes approximate. */
export function hasApproximated({ nodes }: Model): boolean {
  return nodes.some((node) =>
    Object.values(node).some(
      (value) =>
        typeof value === 'object' &&
        value !== null &&
        'kind' in value &&
        approximatedKinds.has(String(value.kind)),
    ),
  )
}

/** A float32 number needs up to 9 significant digits: more than that were printed from float64. */
const FLOAT32_DIGITS = 9

/** The grounds from which a tolerance follows. */
export interface ToleranceGrounds {
  readonly expected: Tensor
  /** The precision that the actual numbers were computed in. */
  readonly precision: 'f32' | 'f64'
  /** The largest difference between our own float32 and float64 results for this input. */
  readonly float32Error: number
  /** Whether the model has σ or tanh; see `hasApproximated`. */
  readonly approximated: boolean
}

export function deriveTolerance({
  expected,
  precision,
  float32Error,
  approximated,
}: ToleranceGrounds): Tolerance {
  const scale = largestMagnitude(expected.data)
  const producer = producerPrecision(expected)
  const single = precision === 'f32' || producer === 'f32'
  // Rounding errors shrink with the unit roundoff, so float64's follow from float32's.
  const roundoff = single ? 2 ** -24 : 2 ** -53
  const measured = single ? float32Error : float32Error * 2 ** -29
  const arithmetic = ARITHMETIC_FACTOR * Math.max(measured, roundoff * scale)
  const storage = storageError(expected)
  // Numbers computed in float64 owe nothing to a runtime's approximations.
  const approximation = approximated && producer === 'f32' ? ACTIVATION_ERROR : 0
  const at = (value: number): number => storage.at(value) + arithmetic + approximation
  const parts = [
    `${show(storage.at(scale))} (${storage.why})`,
    `${show(arithmetic)} (${ARITHMETIC_FACTOR} × the rounding of ${single ? 'float32' : 'float64'} arithmetic, measured on this input)`,
    ...(approximation > 0
      ? [`${show(approximation)} (σ and tanh as float32 runtimes approximate them)`]
      : []),
  ]
  return { at, largest: at(scale), why: parts.join(' + ') }
}

/** The tolerance that a user asks for: atol + rtol·|expected|, as in numpy's `allclose`. */
export function givenTolerance(atol: number, rtol: number, expected: Tensor): Tolerance {
  const at = (value: number): number => atol + rtol * (Number.isFinite(value) ? Math.abs(value) : 0)
  return {
    at,
    largest: at(largestMagnitude(expected.data)),
    why: `atol ${show(atol)} + rtol ${show(rtol)} × |expected|`,
  }
}

/** The precision in which the expected data was most likely computed. */
export function producerPrecision(expected: Tensor): 'f32' | 'f64' {
  const dtype = dtypeOf(expected)
  if (expected.printed !== undefined)
    return expected.printed.significant > FLOAT32_DIGITS ? 'f64' : 'f32'
  return dtype === 'float64' ? 'f64' : 'f32'
}

/** How far a stored number can be from the computed one. */
function storageError(tensor: Tensor): { at: (value: number) => number; why: string } {
  if (tensor.printed !== undefined) {
    const { decimals, significant } = tensor.printed
    return {
      at: (value) => printedError(value, tensor.printed!),
      why: `printed with ${significant} significant digits, ${decimals} decimals`,
    }
  }
  const dtype = dtypeOf(tensor)
  const relative = unitRoundoff[dtype]
  // Integers and booleans are stored exactly, but may have been rounded to that type.
  if (relative === undefined) return { at: () => 0.5, why: `stored as ${dtype}` }
  return {
    at: (value) => (Number.isFinite(value) ? Math.abs(value) * relative : 0),
    why: `stored as ${dtype}`,
  }
}

/** Half a unit of the last digit printed; see `PrintedDigits`. */
function printedError(value: number, { decimals, significant }: PrintedDigits): number {
  if (!Number.isFinite(value)) return 0
  const magnitude = value === 0 ? Number.NEGATIVE_INFINITY : Math.floor(Math.log10(Math.abs(value)))
  return 0.5 * Math.max(10 ** -decimals, 10 ** (magnitude + 1 - significant))
}

/** The largest magnitude among the finite numbers. */
export function largestMagnitude(numbers: ArrayLike<number>): number {
  let largest = 0
  for (let i = 0; i < numbers.length; i++) {
    const magnitude = Math.abs(numbers[i])
    if (magnitude > largest && magnitude !== Number.POSITIVE_INFINITY) largest = magnitude
  }
  return largest
}

/**
 * The largest finite difference between the results of one run in float32 and in float64. A number
 * that is infinite or NaN in one of them says nothing about rounding.
 */
export function roundingError({ data: a }: Tensor, { data: b }: Tensor): number {
  let largest = 0
  for (let i = 0; i < a.length; i++) {
    const difference = Math.abs(a[i] - b[i])
    if (difference > largest && difference !== Number.POSITIVE_INFINITY) largest = difference
  }
  return largest
}

function show(value: number): string {
  return value.toExponential(1)
}
