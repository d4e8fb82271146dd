/** `gruv/verify`: its measurements and its tolerances. */

import { describe, expect, it } from 'vitest'
import { compileSync } from '../../src/index.ts'
import { sequential } from '../../src/model/index.ts'
import type { Tensor } from '../../src/tensor.ts'
import { verify } from '../../src/verify/index.ts'
import { randomGru, randomTensor } from '../support/random.ts'

const model = sequential([randomGru(1, 3, 5)])
const x = randomTensor(2, [40, 3])
const y64 = compileSync(model, { precision: 'f64' }).predict(x).y

/** As it would be stored in float32. */
const stored: Tensor = { shape: y64.shape, data: Float32Array.from(y64.data) }

/** The same numbers, with one of them changed. */
function moved(tensor: Tensor, at: number, by: number): Tensor {
  const data = tensor.data.slice()
  data[at] += by
  return { ...tensor, data }
}

describe('what it measures', () => {
  it('the largest error and its place, the first place out of tolerance, the error over time', () => {
    const expected = moved(moved(stored, 7 * 5 + 2, 0.01), 20 * 5 + 4, -0.5)
    const { pass, outputs } = verify(model, { input: x, expected })
    expect(pass).toBe(false)
    const { y } = outputs
    expect(y.maxAbsolute).toBeCloseTo(0.5, 5)
    expect(y.worst?.at).toEqual({ timestep: 20, unit: 4 })
    expect(y.first?.at).toEqual({ timestep: 7, unit: 2 })
    expect([y.outside, y.compared]).toEqual([2, 200])
    expect(y.overTime).toHaveLength(40)
    expect(y.overTime[20]).toBeCloseTo(0.5, 5)
  })

  it('rows of a batch are told apart', () => {
    const batch = randomTensor(3, [4, 10, 3])
    const { y } = compileSync(model).predict(batch)
    const { outputs } = verify(model, { input: batch, expected: moved(y, (2 * 10 + 3) * 5 + 1, 1) })
    expect(outputs.y.worst?.at).toEqual({ row: 2, timestep: 3, unit: 1 })
  })

  it('the last timestep alone is compared with the last timestep', () => {
    const last = { shape: [5], data: stored.data.slice(-5) }
    const { pass, outputs } = verify(model, { input: x, expected: last })
    expect([pass, outputs.y.lastStepOnly]).toEqual([true, true])
    expect(verify(model, { input: x, expected: moved(last, 0, 0.1) }).outputs.y.worst?.at).toEqual({
      timestep: 39,
      unit: 0,
    })
  })

  it('final states can be expected like outputs', () => {
    const last = { shape: [5], data: stored.data.slice(-5) }
    expect(verify(model, { input: x, expected: { 'gru.h': last } }).pass).toBe(true)
  })

  it('NaN agrees with NaN and with nothing else', () => {
    const expected = moved(stored, 3, Number.NaN)
    const { outputs } = verify(model, { input: x, expected })
    expect([outputs.y.outside, outputs.y.maxAbsolute]).toEqual([1, Number.POSITIVE_INFINITY])
    const input = moved(x, 0, Number.NaN)
    const nans = compileSync(model).predict(input).y
    // NaN before the first step leaves no finite number in that row.
    const verdict = verify(model, { input, expected: nans })
    expect([verdict.pass, verdict.verdict]).toEqual([false, 'nothing to compare'])
    expect(verdict.notFinite).toBe('NaN begins in input x at [0, 0, 0]')
    expect(verdict.outputs.y).toMatchObject({ finite: 0, outside: 0, worst: null })
  })

  it('shapes that cannot be laid side by side are refused', () => {
    expect(() =>
      verify(model, { input: x, expected: { shape: [39, 5], data: new Float32Array(195) } }),
    ).toThrow(/39 timesteps, the output 40/)
    expect(() => verify(model, { input: x, expected: { z: stored } })).toThrow(/'z'/)
  })
})

describe('where its tolerance comes from', () => {
  const tolerance = (expected: Tensor, precision: 'f32' | 'f64' = 'f32'): number =>
    verify(model, { input: x, expected, precision }).outputs.y.tolerance.largest

  it('float64 numbers, computed in float64: about 1e-15, and they agree', () => {
    const verdict = verify(model, { input: x, expected: y64, precision: 'f64' })
    expect(verdict.pass).toBe(true)
    expect(verdict.outputs.y.tolerance.largest).toBeLessThan(1e-14)
  })

  it('float32 numbers: a few 1e-7, and the float32 engine agrees', () => {
    expect(verify(model, { input: x, expected: stored }).pass).toBe(true)
    expect(tolerance(stored)).toBeLessThan(4e-6)
  })

  it('four printed decimals: half a unit of the fourth', () => {
    const printed = {
      shape: stored.shape,
      data: Float64Array.from(y64.data, (value) => Number(value.toFixed(4))),
      dtype: 'text' as const,
      printed: { decimals: 4, significant: 4 },
    }
    expect(tolerance(printed)).toBeGreaterThan(5e-5)
    expect(tolerance(printed)).toBeLessThan(6e-5)
    expect(verify(model, { input: x, expected: printed }).pass).toBe(true)
    expect(verify(model, { input: x, expected: moved(printed, 9, 2e-4) }).pass).toBe(false)
  })

  it('float16 numbers: 2⁻¹¹ of each', () => {
    const half = {
      ...stored,
      data: Float32Array.from(stored.data, roundToHalf),
      dtype: 'float16' as const,
    }
    expect(verify(model, { input: x, expected: half }).pass).toBe(true)
    expect(verify(model, { input: x, expected: moved(half, 9, 2e-3) }).pass).toBe(false)
  })

  it('every mistake of a convention is far out of it', () => {
    for (const options of [
      { reset: 'before' },
      { update: 'updates' },
      { gateOrder: 'rzn' },
      { biasPlacement: 'merged' },
    ] as const) {
      const other = sequential([randomGru(1, 3, 5, options)])
      const { outputs } = verify(other, { input: x, expected: stored })
      expect(outputs.y.maxAbsolute).toBeGreaterThan(1000 * outputs.y.tolerance.largest)
    }
  })

  it('atol and rtol, when given, stand alone', () => {
    const expected = moved(stored, 9, 0.01)
    expect(verify(model, { input: x, expected, atol: 0.02 }).pass).toBe(true)
    expect(verify(model, { input: x, expected, rtol: 1e-6 }).pass).toBe(false)
    expect(() => verify(model, { input: x, expected, atol: -1 })).toThrow('atol')
  })
})

/** To 11 significant bits. */
function roundToHalf(value: number): number {
  if (value === 0) return 0
  const unit = 2 ** (Math.floor(Math.log2(Math.abs(value))) - 10)
  return Math.round(value / unit) * unit
}
