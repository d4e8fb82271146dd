/** The rolldown configuration of `gruv/core`: one file for hosts without a bundler. */

import { fileURLToPath } from 'node:url'
import type { RolldownOptions } from 'rolldown'
import { Licences } from './licences.ts'

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

const config: RolldownOptions = {
  input: at('../src/core/index.ts'),
  platform: 'neutral',
  // What `load` fetches, and core has at hand, is imported in both ways on purpose.
  checks: { ineffectiveDynamicImport: false },
  resolve: { mainFields: ['module', 'main'] },
  external: /^(node:|gruv\/)/,
  // Audio worklets have none.
  transform: { inject: { TextDecoder: [at('../src/core/text-decoder.ts'), 'TextDecoder'] } },
  plugins: [new Licences().write()],
  output: { minify: true, entryFileNames: 'index.js' },
}

export default config
