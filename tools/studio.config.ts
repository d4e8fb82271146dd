/** The vite configuration of the studio: a static site that works offline from any folder. */

import { fileURLToPath } from 'node:url'
import type { Plugin, UserConfig } from 'vite'
import { Licences } from './licences.ts'

const licences = new Licences()

const EMPTY = '\0nothing'

/** Modules for Node only, which the site does not need. */
const withoutNode = (): Plugin => ({
  name: 'without-node',
  enforce: 'pre',
  resolveId: (id) => (id.endsWith('.node.ts') ? EMPTY : null),
  load: (id) => (id === EMPTY ? 'export {}' : null),
})

/** Some modules are loaded lazily in one place and at once in another on purpose. */
const checks = { ineffectiveDynamicImport: false }

const config: UserConfig = {
  root: fileURLToPath(new URL('../studio', import.meta.url)),
  // Relative, so that the site can lie in any folder of a server.
  base: './',
  logLevel: 'warn',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  resolve: {
    alias: { 'gruv/hdf5': fileURLToPath(new URL('../src/hdf5.ts', import.meta.url)) },
  },
  plugins: [withoutNode(), licences.write()],
  worker: {
    format: 'es',
    plugins: () => [withoutNode(), licences.collect()],
    rolldownOptions: { checks },
  },
  build: {
    target: 'es2022',
    emptyOutDir: true,
    // Files stay files: the example is fetched as any other, and the page's policy forbids data:.
    assetsInlineLimit: 0,
    // The readers of foreign formats are large, and loaded when such a file comes.
    chunkSizeWarningLimit: 6000,
    reportCompressedSize: false,
    rolldownOptions: {
      checks,
      output: {
        // The page shows the names of the files that it has opened.
        assetFileNames: ({ names: [name = ''] }) =>
          /\.(npy|safetensors)$/.test(name)
            ? 'example/[name][extname]'
            : 'assets/[name]-[hash][extname]',
      },
    },
  },
}

export default config
