/**
 * The numbers of the elementary functions, and nothing else: the JavaScript kernels and the writer of
 * the WebAssembly ones read the same tables. The formulas stand in `js/math32.ts` and `js/math64.ts`.
 *
 * Written by `tools/fit_approximations.py`. Polynomials start at the constant term. Every number of a
 * table whose name ends in 32 is exactly a float32.
 */

/** ln 2 in two parts; HIGH has so few bits that n · HIGH is exact for the exponents that occur. */
export const LN2_HIGH32 = 0.693145751953125
export const LN2_LOW32 = 1.428606765330187e-6

/** e^r = 1 + r + r²·P(r) for |r| ≤ ln 2 / 2. */
export const EXP32 = [
  0.5, 0.1666654348373413, 0.04166628047823906, 0.00836661085486412, 0.0013946491526439786,
] as const

/** log(1 + f) = f − f²/2 + f³·P(f) for √½ ≤ 1 + f < √2. */
export const LOG32 = [
  0.33333316445350647, -0.25000810623168945, 0.2000228464603424, -0.16624553501605988,
  0.14181213080883026, -0.13128773868083954, 0.1288151741027832, -0.07859406620264053,
] as const

/** tanh(x) = 2NQ / (Q² + N²), N = x·P(x²), Q = Q(x²); 1 from the limit on. */
export const TANH32 = {
  limit: 8.75,
  p: [1, 0.02978266030550003, 0.00011446147982496768],
  q: [2, 0.22623181343078613, 0.0024150130338966846, 2.467313834131346e-6],
} as const

/** erf(x), by the same formula. */
export const ERF32 = {
  limit: 3.9375,
  p: [
    0.9873318672180176, 0.14120835065841675, 0.017496740445494652, 0.0005591154331341386,
    -5.971473910904024e-6,
  ],
  q: [1.7500001192092896, 0.27657634019851685, 0.06258372962474823, 0.003983574453741312],
} as const

/** ln 2 in two parts, as above. */
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
