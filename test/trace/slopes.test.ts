/** The derivative of every activation, against central differences of its value. */

import { describe, expect, it } from 'vitest'
import { activation, type ElementwiseKind } from '../../src/model/activation/activations.ts'
import { activationTable } from '../../src/model/activation/table.ts'
import { slopeOf } from '../../src/trace/slopes.ts'

const kinds = Object.keys(activationTable) as ElementwiseKind[]

/** Arguments on both sides of every kink of the table, away from it. */
const points = [-9.3, -2.61, -1.27, -0.83, -0.31, -0.017, 0.017, 0.31, 0.83, 1.27, 2.61, 5.9, 9.3]

describe('the slope of every activation is that of its value', () => {
  it.each(kinds)('%s: central differences to 1e-8', (kind) => {
    const { parameters } = activation(kind)
    const { value } = activationTable[kind]
    const slope = slopeOf({ kind, parameters })
    for (const a of points) {
      const step = 1e-5
      const difference = (value(a + step, parameters) - value(a - step, parameters)) / (2 * step)
      const size = Math.max(1, Math.abs(difference))
      expect(Math.abs(slope(a) - difference) / size, `${kind} at ${a}`).toBeLessThan(1e-8)
    }
  })

  it.each(['sigmoid', 'tanh'] as const)('%s: far out it is small, and not 0', (kind) => {
    const slope = slopeOf({ kind, parameters: [] })
    for (const a of [-40, 40]) {
      expect(slope(a)).toBeGreaterThan(0)
      expect(slope(a)).toBeLessThan(1e-16)
    }
  })

  it('GELU has a slope at 0', () => {
    expect(slopeOf({ kind: 'gelu', parameters: [] })(0)).toBe(0.5)
  })
})
