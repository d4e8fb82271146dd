import { fileURLToPath } from 'node:url'
import { defineConfig, type ViteUserConfig } from 'vitest/config'
import { Totals } from './test/reporter.ts'

const config: ViteUserConfig = defineConfig({
  // What gruv imports of itself by its public name: the source, not what was built of it.
  resolve: {
    alias: { 'gruv/hdf5': fileURLToPath(new URL('src/hdf5.ts', import.meta.url)) },
  },
  test: {
    include: ['test/**/*.test.ts'],
    // Those have a command and a configuration of their own: `npm run test:deep`.
    exclude: ['test/deep/**'],
    environment: 'node',
    testTimeout: 30_000,
    hookTimeout: 30_000,
    // One core is left free by default, which is half of a small machine.
    maxWorkers: '100%',
    reporters: ['default', new Totals()],
  },
})

export default config
