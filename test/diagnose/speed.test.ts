/**
 * How long a diagnosis takes: 64 units, 60 steps, 4 rows, any single mistake. In CPU time, three
 * times what it is to take. GRUV_WHOLE_SWEEPS=1 plants them all.
 */

import { describe, expect, it } from 'vitest'
import { applyQuirks, changesRun, diagnose, withRunQuirks } from '../../src/diagnose/index.ts'
import { compileSync, isGruvError } from '../../src/index.ts'
import { sequential } from '../../src/model/index.ts'
import { largestDistance } from '../../src/tensor.ts'
import { mistakesFor } from '../support/arrangements.ts'
import { randomGru, randomTensor } from '../support/random.ts'

const SECONDS = 3
const GUARD = 3
const input = randomTensor(1, [4, 60, 8])
const all = mistakesFor(5)
const planted = process.env.GRUV_WHOLE_SWEEPS
  ? all
  : ['without-recurrent-bias', 'reversed', 'scaled-kernels=0.5', 'stateless']

describe.each([
  ['sequences', true],
  ['last states', false],
] as const)('64 units, 60 steps, 4 rows, from %s', (_, returnSequences) => {
  const model = sequential([randomGru(2, 8, 64, { returnSequences })])

  it.each(planted)('%s: within a few seconds of CPU', { timeout: 120_000 }, (mistake) => {
    let y: Float32Array | Float64Array
    try {
      const program = compileSync(applyQuirks(model, [mistake]))
      const runs = [mistake].filter((quirk) => changesRun(quirk))
      y = withRunQuirks(program, runs).predict(input).y.data
      const exact = compileSync(applyQuirks(model, [mistake]), { precision: 'f64' })
      const y64 = withRunQuirks(exact, runs).predict(input).y.data
      // A network that large weights made chaotic has no digits left to tell anything by.
      if (largestDistance(y, y64) > 1e-3) return
    } catch (error) {
      // Not every mistake is possible in this model.
      if (isGruvError(error)) return
      throw error
    }
    const right = compileSync(model).predict(input).y
    // What moves nothing by more than rounding is not shown.
    if (right.data.every((value, i) => Math.abs(value - y[i]) < 1e-5)) return
    const before = process.cpuUsage()
    const { verdict, candidates } = diagnose(model, {
      input,
      expected: { shape: right.shape, data: y },
      conventionFlags: false,
    })
    const { user, system } = process.cpuUsage(before)
    // Without a state nothing shows the recurrent kernel, so others of it fit as well.
    expect(['identified', 'ambiguous']).toContain(verdict)
    expect(candidates[0].flags).toContain(mistake.split('=')[0])
    expect((user + system) / 1e6).toBeLessThan(GUARD * SECONDS)
  })
})
