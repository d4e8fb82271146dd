/**
 * Every mistake of diagnose's table, planted in every arrangement of models: all that the data shows
 * are found. GRUV_PLANTED_SEED takes other weights, inputs and values.
 */

import { describe, expect, it } from 'vitest'
import { arrangements, complaint, mistakesFor, nameOf } from '../support/arrangements.ts'

const seed = Number(process.env.GRUV_PLANTED_SEED ?? 1)
const MINUTES = 60_000

describe('single mistakes in every arrangement', () => {
  it.each(arrangements.map((arrangement, i) => [nameOf(arrangement), arrangement, i] as const))(
    '%s',
    { timeout: 30 * MINUTES },
    (_, arrangement, i) => {
      const results = mistakesFor(seed + i).map((mistake) =>
        complaint(arrangement, seed + 100 * i, mistake),
      )
      expect(results.filter((result) => typeof result === 'string')).toEqual([])
      // A test of nothing would hold as well.
      expect(results.filter((result) => result !== undefined).length).toBeGreaterThan(5)
    },
  )
})
