/**
 * Holds the numbers of the elementary functions in float32: the JavaScript kernels and the writers of
 * the WebAssembly ones read the same tables. The formulas stand in `js/math32.ts`.
 *
 * Written by `tools/fit_approximations.py`. Polynomials start at the constant term. Every number is
 * exactly a float32.
 */

/** ln 2 in two parts; HIGH has so few bits that n · HIGH is exact for the exponents that occur. */
export const LN2_HIGH32 = 0.693145751953125
export const LN2_LOW32 = 1.428606765330187e-6

/** e^r = 1 + r + r²·P(r) for |r| ≤ ln 2 / 2. */
export const EXP32 = [
  0.5, 0.1666654348373413, 0.04166628047823906, 0.00836661085486412, 0.0013946491526439786,
] as const

/** tanh(x) = 2NQ / (Q² + N²), N = x·P(x²), Q = Q(x²); 1 from the limit on. */
export const TANH32 = {
  limit: 8.75,
  p: [1, 0.02978266030550003, 0.00011446147982496768],
  q: [2, 0.22623181343078613, 0.0024150130338966846, 2.467313834131346e-6],
} as const
