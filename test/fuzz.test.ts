/** Hostile files for every reader: a seeded sample of the part `fuzz` of the deep tests. */

import { describe, it } from 'vitest'
import { fuzzTarget, targets } from './support/fuzz-targets.ts'

describe('hostile files', () => {
  it.each(targets.map(({ name }, seed) => ({ name, seed })))(
    '$name: only GruvErrors come out, seed $seed',
    async ({ seed }) => {
      await fuzzTarget(seed, 2)
    },
  )
})
