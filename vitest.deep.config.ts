import type { ViteUserConfig } from 'vitest/config'
import fast from './vitest.config.ts'

const minutes = 60_000

/** The deep tests, which `tools/test-deep.mjs` runs part by part. */
const config: ViteUserConfig = {
  ...fast,
  test: {
    ...fast.test,
    include: ['test/deep/**/*.test.ts'],
    exclude: [],
    // Sweeps of which the other tests take a sample run whole.
    env: { GRUV_WHOLE_SWEEPS: '1' },
    testTimeout: 20 * minutes,
    hookTimeout: 20 * minutes,
  },
}

export default config
