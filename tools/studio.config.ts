/** How vite builds the studio: a static site that works from any folder, offline. */

import { fileURLToPath } from 'node:url'
import type { Plugin, UserConfig } from 'vite'

const EMPTY = '\0nothing'

/** What only Node runs is never asked for in a browser, and need not be in the site. */
const withoutNode = (): Plugin => ({
  name: 'without-node',
  enforce: 'pre',
  resolveId: (id) => (id.endsWith('.node.ts') ? EMPTY : null),
  load: (id) => (id === EMPTY ? 'export {}' : null),
})

/** That a module is loaded lazily by one and at once by another is as it should be. */
const checks = { ineffectiveDynamicImport: false }

const config: UserConfig = {
  root: fileURLToPath(new URL('../studio', import.meta.url)),
  // Relative, so that the site can lie in any folder of a server.
  base: './',
  logLevel: 'warn',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  plugins: [withoutNode()],
  worker: { format: 'es', plugins: () => [withoutNode()], rolldownOptions: { checks } },
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
