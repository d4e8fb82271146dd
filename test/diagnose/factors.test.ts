/** Factors that stand in no table are estimated, and the roundest that explains the data is given. */

import { describe, expect, it } from 'vitest'
import { applyQuirks, diagnose } from '../../src/diagnose/index.ts'
import { compileSync } from '../../src/index.ts'
import { sequential } from '../../src/model/index.ts'
import type { Tensor } from '../../src/tensor.ts'
import { random, randomGru, tensor } from '../support/random.ts'

const model = sequential([randomGru(31, 3, 5)])
const input = tensor(random(32), [12, 3])

function outputs(...quirks: readonly string[]): Tensor {
  const { y } = compileSync(applyQuirks(model, quirks), { precision: 'f64' }).predict(input)
  return y
}

describe('weights times a factor that nobody would list', () => {
  it.each([
    ['scaled-weights=0.37'],
    ['scaled-weights=1.7'],
    ['scaled-kernels=1.3'],
    ['scaled-kernels=0.6172'],
  ])('%s is identified', (quirk) => {
    const { verdict, candidates } = diagnose(model, { input, expected: outputs(quirk) })
    expect([verdict, ...candidates.map(({ convention }) => convention.quirks)]).toEqual([
      'identified',
      [quirk],
    ])
  })

  it('and another mistake beside it', () => {
    const quirks = ['without-recurrent-bias', 'scaled-weights=1.7']
    const { verdict, candidates } = diagnose(model, { input, expected: outputs(...quirks) })
    expect([verdict, ...candidates.map(({ convention }) => convention.quirks)]).toEqual([
      'identified',
      quirks,
    ])
  })

  it('with three decimals the number is still the one that was meant', () => {
    const { shape, data } = outputs('scaled-kernels=1.3')
    const expected: Tensor = {
      shape,
      data: Float64Array.from(data, (value) => Number(value.toFixed(3))),
      dtype: 'text',
      printed: { decimals: 3, significant: 3 },
    }
    const { candidates } = diagnose(model, { input, expected })
    expect(candidates[0].convention.quirks).toEqual(['scaled-kernels=1.3'])
  })
})
