/**
 * The numbers of the elementary functions, and nothing else: the JavaScript kernels and the writer of
 * the WebAssembly ones read the same table. How they are used: `js/math32.ts` and `js/math64.ts`.
 *
 * Made by `tools/fit_approximations.py`. Polynomials are listed from the constant term up. Every
 * number of a table whose name ends in 32 is a float32 exactly.
 */

/** ln 2 in two parts; `HIGH` has so few bits that n · HIGH is exact for every exponent n. */
export const LN2_HIGH32 = 0.6931381225585938
export const LN2_LOW32 = 9.05800061445916e-6

/** e^r = 1 + r + r²·P(r) for |r| ≤ ln 2 / 2. */
export const EXP32 = [
  0.5, 0.1666654348373413, 0.04166628047823906, 0.008366597816348076, 0.0013946472899988294,
] as const

/** log(1 + f) = f − f²/2 + f³·P(f) for √½ ≤ 1 + f < √2. */
export const LOG32 = [
  0.33333316445350647, -0.25000807642936707, 0.2000228613615036, -0.1662459671497345,
  0.14181219041347504, -0.13128402829170227, 0.1288137286901474, -0.07860174030065536,
] as const

/** tanh(x) = x·P(x²)/Q(x²) for |x| ≤ limit. */
export const TANH32 = {
  limit: 8.600000381469727,
  p: [1, 0.1340688019990921, 0.0035264077596366405, 2.1122485122759826e-5, 1.4082613297716762e-8],
  q: [1, 0.46740201115608215, 0.02599392458796501, 0.0003336280642542988, 8.070695116657589e-7],
} as const

/** erf(x) = x·P(x²)/Q(x²) for |x| ≤ limit. */
export const ERF32 = {
  limit: 3.9100000858306885,
  p: [
    1.1283791065216064, 0.19009177386760712, 0.05271431431174278, 0.003753999015316367,
    0.0002849554584827274, 2.057003712252481e-6,
  ],
  q: [
    1, 0.5017971992492676, 0.113985575735569, 0.014945799484848976, 0.0011603316524997354,
    3.816685057245195e-5,
  ],
} as const

/**
 * σ(x) = ½ + x·P(x²)/Q(x²) for |x| ≤ limit: tanh's table with x halved and the result halved, all by
 * powers of two, so that the bits are those of ½ + ½·tanh32(x/2).
 */
export const SIGMOID_GATE32 = {
  limit: 2 * TANH32.limit,
  p: TANH32.p.map((c, k) => c * 4 ** (-k - 1)),
  q: TANH32.q.map((c, k) => c * 4 ** -k),
} as const

/** ln 2 in two parts; `HIGH` has so few bits that n · HIGH is exact for every exponent n. */
export const LN2_HIGH64 = 0.6931471803691238
export const LN2_LOW64 = 1.9082149292705877e-10

/** e^r = 1 + r + r²·P(r) for |r| ≤ ln 2 / 2. */
export const EXP64 = [
  0.5, 0.16666666666666677, 0.0416666666666667, 0.00833333333332161, 0.0013888888888866835,
  0.0001984126988619327, 2.4801587360581703e-5, 2.755724412936732e-6, 2.7557242728063736e-7,
  2.510906853518484e-8, 2.092445523558548e-9,
] as const

/** log(1 + f) = 2s + s³·P(s²), s = f / (2 + f), for √½ ≤ 1 + f < √2. */
export const LOG64 = [
  0.6666666666666735, 0.39999999999411306, 0.2857142874322255, 0.2222219847962856,
  0.1818356956758786, 0.15313907329951912, 0.14797469361488735,
] as const

/** erf(x) = x + x·P(x²)/Q(x²) for |x| < 1. */
export const ERF64 = {
  p: [
    0.1283791670955126, -0.31701412763518155, -0.048309769449999096, -0.008812532762205411,
    -0.0004951305698924463, -2.0710153658301225e-5,
  ],
  q: [
    1, 0.4604505756972026, 0.09378411215352393, 0.010687354167908683, 0.0006919163094199994,
    2.0783852788064534e-5,
  ],
} as const

/** erfc(x) = e^(−x²)·P(x)/Q(x) for 1 ≤ x ≤ limit; erf is 1 from there on. */
export const ERFC64 = {
  limit: 6,
  p: [
    0.9999998869873857, 1.3905902078351953, 0.9495362824399359, 0.37360832717596615,
    0.08435170132567024, 0.008930722297877069,
  ],
  q: [
    1, 2.518968184366073, 2.7918934852556343, 1.7571882198413151, 0.6701776812915676,
    0.14950559267197455, 0.015829415587913218,
  ],
} as const
