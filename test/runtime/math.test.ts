/** The elementary functions against better ones. How far off they are, measured: docs/functions.md. */

import { describe, expect, test } from 'vitest'
import { erf32, tanh32 } from '../../src/runtime/js/math32.ts'
import { TANH32 } from '../../src/runtime/math/constants32.ts'
import { ERF32 } from '../../src/runtime/math/more-constants32.ts'
import {
  eachFloat32,
  functions32,
  functions64,
  measure32,
  measure64,
  type Name32,
  type Name64,
  sweep32,
} from '../support/elementary.ts'

/** An odd stride, so that the last bits vary: 2²⁰ patterns of all signs, sizes and kinds of NaN. */
const stride = 4095

const bounds32: readonly [Name32, { ulp?: number; absolute?: number }][] = [
  ['tanh32', { ulp: 4.5, absolute: 2e-7 }],
  ['sigmoid32', { ulp: 2.6 }],
  ['exp32', { ulp: 1.1 }],
  ['expm1_32', { ulp: 2 }],
  ['log32', { ulp: 1 }],
  ['log1p32', { ulp: 1 }],
  ['softplus32', { ulp: 2 }],
  ['erf32', { ulp: 4.2, absolute: 2.5e-7 }],
]

describe.each(bounds32)('%s', (name, { ulp, absolute }) => {
  const limits = [
    ulp === undefined ? [] : [`${ulp} ulp`],
    absolute === undefined ? [] : [`${absolute} absolute`],
  ].flat()

  test(`≤ ${limits.join(' and ')} over 2^20 float32 bit patterns; NaN where and only where the exact result is; always a float32`, () => {
    const worst = measure32(name, stride)
    expect(worst.ulp, `at ${worst.ulpAt}`).toBeLessThanOrEqual(ulp ?? Infinity)
    expect(worst.absolute, `at ${worst.absoluteAt}`).toBeLessThanOrEqual(absolute ?? Infinity)
    expect(worst.nan).toEqual([])
    expect(worst.unrounded).toEqual([])
  })
})

const bounds64: readonly [Name64, number][] = [
  ['tanh64', 2],
  ['sigmoid64', 2],
  ['exp64', 1],
  ['expm1_64', 1.5],
  ['log64', 1],
  ['log1p64', 1],
  ['softplus64', 2],
  ['erf64', 1.5],
]

test.each(bounds64)('%s: ≤ %d ulp at the points of math64.json', (name, ulp) => {
  const worst = measure64(name)
  expect(worst.ulp, `at ${worst.ulpAt}`).toBeLessThanOrEqual(ulp)
  expect(worst.nan).toEqual([])
})

describe('values that are exact', () => {
  const tiny32 = 2 ** -149
  const identities = [-0, 0, tiny32, -tiny32]
  const exact: Readonly<Record<string, readonly (readonly [number, number])[]>> = {
    tanh: [...identities.map((x) => [x, x] as const), [Infinity, 1], [-Infinity, -1]],
    sigmoid: [
      [-0, 0.5],
      [0, 0.5],
      [Infinity, 1],
      [-Infinity, 0],
    ],
    exp: [
      [-0, 1],
      [0, 1],
      [Infinity, Infinity],
      [1000, Infinity],
      [-Infinity, 0],
      [-1000, 0],
    ],
    expm1_: [...identities.map((x) => [x, x] as const), [Infinity, Infinity], [-Infinity, -1]],
    log: [
      [1, 0],
      [0, -Infinity],
      [-0, -Infinity],
      [Infinity, Infinity],
      [-1, NaN],
      [-tiny32, NaN],
      [-Infinity, NaN],
    ],
    log1p: [
      ...identities.map((x) => [x, x] as const),
      [-1, -Infinity],
      [Infinity, Infinity],
      [-1.5, NaN],
      [-Infinity, NaN],
    ],
    softplus: [
      [Infinity, Infinity],
      [-Infinity, 0],
      [1e30, Math.fround(1e30)],
    ],
    erf: [
      [-0, -0],
      [0, 0],
      [Infinity, 1],
      [-Infinity, -1],
    ],
  }
  const all = { ...functions32, ...functions64 }

  test.each(Object.keys(all))('%s: zeros, limits, and NaN for NaN', (name) => {
    const entry = all[name as keyof typeof all]
    const f = typeof entry === 'function' ? entry : entry[0]
    const cases = exact[name.slice(0, -2)].map(([x]) => x)
    // softplus64 keeps 1e30 as it is given.
    const at = (x: number) => (name.endsWith('32') ? Math.fround(x) : x)
    expect(cases.map((x) => f(at(x)))).toEqual(
      exact[name.slice(0, -2)].map(([x, y]) => (x === 1e30 ? at(x) : y)),
    )
    expect(f(NaN)).toBeNaN()
  })
})

describe('what cells rely on', () => {
  test('tanh32 is odd, never beyond ±1, and ±1 from its limit on', () => {
    const wrong: number[] = []
    sweep32(stride, (x) => {
      if (Number.isNaN(x)) return
      const y = tanh32(x)
      if (!Object.is(tanh32(-x), -y) || Math.abs(y) > 1) wrong.push(x)
      if (Math.abs(x) >= TANH32.limit && Math.abs(y) !== 1) wrong.push(x)
    })
    expect(wrong).toEqual([])
  })

  test('none leaves its range where it saturates: every float32 of the last seventh to the limit', () => {
    let beyond = 0
    eachFloat32((6 / 7) * TANH32.limit, TANH32.limit, (x) => {
      if (tanh32(x) > 1) beyond++
    })
    eachFloat32((6 / 7) * ERF32.limit, ERF32.limit, (x) => {
      if (erf32(x) > 1) beyond++
    })
    expect(beyond).toBe(0)
  })

  test('tanh32 of |x| ≤ 2^-13 is x itself', () => {
    const wrong: number[] = []
    sweep32(stride, (x) => {
      if (Math.abs(x) <= 2 ** -13 && !Object.is(tanh32(x), x)) wrong.push(x)
    })
    expect(wrong).toEqual([])
  })
})
