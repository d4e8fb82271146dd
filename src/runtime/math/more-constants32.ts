/**
 * Holds the numbers of the elementary functions in float32: the JavaScript kernels and the writers of
 * the WebAssembly ones read the same tables. The formulas stand in `js/math32.ts`.
 *
 * Written by `tools/fit_approximations.py`. Polynomials start at the constant term. Every number is
 * exactly a float32. Few models need these.
 */

/** log(1 + f) = f − f²/2 + f³·P(f) for √½ ≤ 1 + f < √2. */
export const LOG32 = [
  0.33333316445350647, -0.25000810623168945, 0.2000228464603424, -0.16624553501605988,
  0.14181213080883026, -0.13128773868083954, 0.1288151741027832, -0.07859406620264053,
] as const

/** erf(x), by the formula of tanh. */
export const ERF32 = {
  limit: 3.9375,
  p: [
    0.9873318672180176, 0.14120835065841675, 0.017496740445494652, 0.0005591154331341386,
    -5.971473910904024e-6,
  ],
  q: [1.7500001192092896, 0.27657634019851685, 0.06258372962474823, 0.003983574453741312],
} as const
