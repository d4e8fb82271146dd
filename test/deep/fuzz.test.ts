/**
 * Hostile files for every reader, for as long as one likes: `npm run test:deep fuzz` takes a minute,
 * with GRUV_FUZZ_SECONDS=3600 an hour. A failure names the seed and the bytes; set GRUV_FUZZ_SEED to
 * see it again.
 */

import { expect, it } from 'vitest'
import { fuzzTarget } from '../support/fuzz-targets.ts'

const seconds = Number(process.env.GRUV_FUZZ_SECONDS ?? 60)
const firstSeed = Number(process.env.GRUV_FUZZ_SEED ?? Date.now() % 2 ** 31)

it(
  `only GruvErrors come out of hostile files, for ${seconds} s from seed ${firstSeed}`,
  async () => {
    const end = performance.now() + seconds * 1000
    let total = 0
    let slowest = 0
    for (let seed = firstSeed; performance.now() < end; seed++) {
      const report = await fuzzTarget(seed)
      total += report.runs
      slowest = Math.max(slowest, report.slowestMilliseconds)
    }
    console.info(`fuzz: ${total} broken files, the slowest took ${slowest.toFixed(0)} ms`)
    expect(total).toBeGreaterThan(0)
  },
  (seconds + 30) * 1000,
)
