/** Factors outside the table are estimated; the roundest one that explains the data is reported. */

import { describe, expect, it } from 'vitest'
import { applyQuirks, diagnose } from '../../src/diagnose/index.ts'
import { compileSync } from '../../src/index.ts'
import { sequential } from '../../src/model/index.ts'
import type { Tensor } from '../../src/tensor.ts'
import { randomGru, randomTensor } from '../support/random.ts'

const model = sequential([randomGru(31, 3, 5)])
const input = randomTensor(32, [12, 3])

function outputs(...quirks: readonly string[]): Tensor {
  const { y } = compileSync(applyQuirks(model, quirks), { precision: 'f64' }).predict(input)
  return y
}

describe('weights scaled by a factor outside the table', () => {
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

  it('with three decimals the number is still the intended one', () => {
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
