/** Mistakes planted in a sample of all arrangements of models; `test/deep/planted.test.ts` has them all. */

import { describe, expect, it } from 'vitest'
import { arrangements, complaint, mistakesFor, nameOf } from '../support/arrangements.ts'

/** Every seventh, so that each choice occurs with each other one. */
const sample = arrangements.filter((_, i) => i % 7 === 0)
const EACH = 3

describe('a single mistake that the data shows is found, however the model is arranged', () => {
  it.each(sample.map((arrangement, i) => [nameOf(arrangement), arrangement, i] as const))(
    '%s',
    (_, arrangement, i) => {
      const mistakes = mistakesFor(i)
      const chosen = Array.from(
        { length: EACH },
        (_, n) => mistakes[(i * EACH + n) % mistakes.length],
      )
      const complaints = chosen.flatMap(
        (mistake) => complaint(arrangement, 100 * i + 1, mistake) ?? [],
      )
      expect(complaints).toEqual([])
    },
  )
})
