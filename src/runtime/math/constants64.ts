/**
 * Holds the numbers of the elementary functions in float64: the JavaScript kernels and the writers of
 * the WebAssembly ones read the same tables. The formulas stand in `js/math64.ts`.
 *
 * Written by `tools/fit_approximations.py`. Polynomials start at the constant term.
 */

/** ln 2 in two parts, the first with so few bits that its products with exponents are exact. */
export const LN2_HIGH64 = 0.6931471804855391
export const LN2_LOW64 = 7.440617110012397e-11

/** e^r = 1 + r + r²·P(r) for |r| ≤ ln 2 / 2. */
export const EXP64 = [
  0.5, 0.16666666666666677, 0.0416666666666667, 0.008333333333321579, 0.0013888888888866728,
  0.00019841269886266267, 2.4801587360767196e-5, 2.7557244061940645e-6, 2.755724258234704e-7,
  2.5109090388310524e-8, 2.0924497580332812e-9,
] as const

/** log(1 + f) = 2s + s³·P(s²), s = f / (2 + f), for √½ ≤ 1 + f < √2. */
export const LOG64 = [
  0.6666666666666734, 0.399999999994147, 0.2857142874238337, 0.22222198573637436,
  0.1818356430159601, 0.15314051204015935, 0.1479594295746777,
] as const

/** erf(x) = x + x·P(x²)/Q(x²) for |x| < limit. */
export const ERF64 = {
  limit: 1,
  p: [
    0.1283791670955126, -0.3170141290884108, -0.048309765870186726, -0.008812532187881616,
    -0.0004951304815165638, -2.0710149517730198e-5,
  ],
  q: [
    1, 0.46045056437738124, 0.09378410687329676, 0.010687353120979279, 0.0006919162026091378,
    2.0783847915319633e-5,
  ],
} as const

/** erfc(x) = e^(−x²)·P(x)/Q(x) for 1 ≤ x ≤ limit; erf is 1 beyond it. */
export const ERFC64 = {
  limit: 6,
  p: [
    0.9999998869817207, 1.3905918885231552, 0.9495383582374688, 0.37360955998767165,
    0.08435209151038953, 0.008930780293358878,
  ],
  q: [
    1, 2.5189698649976884, 2.7918974577090263, 1.7571922536567481, 0.6701799166728936,
    0.14950628434522503, 0.015829518378903187,
  ],
} as const
