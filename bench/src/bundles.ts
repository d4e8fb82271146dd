/** Makes the bundles: one to run gruv from, and those that measure what a page downloads. */

import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'

const here = dirname(fileURLToPath(import.meta.url))
const gruvLibrary = join(here, '../../dist/index.js')

/**
 * The gruv contender with the library inside; `contenders/index.ts` loads it once for each mode.
 */
export async function bundleGruv(): Promise<void> {
  await build({
    entryPoints: [join(here, 'contenders/gruv.js')],
    outfile: join(here, 'gruv.bundle.js'),
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'es2022',
    logLevel: 'warning',
    // For its CommonJS parts, none of which run here.
    banner: {
      js: "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);",
    },
  })
}

export interface Download {
  readonly contender: string
  /** Gzipped bytes of JavaScript and of WebAssembly. */
  readonly script: number
  readonly wasm: number
}

/** What a page loads to run one GRU, without its own few lines and without model files. */
export async function downloads(): Promise<Download[]> {
  const require = createRequire(import.meta.url)
  const folder = (name: string): string => dirname(require.resolve(`${name}/package.json`))
  const wasmOf = (name: string, file: string): number =>
    gzipped(readFileSync(join(folder(name), 'dist', file)))
  // Its exports hide package.json.
  const ortWeb = join(here, '../node_modules/onnxruntime-web/dist')
  return [
    {
      contender: 'gruv',
      // What a page requests that loads a safetensors file of a GRU (test/size.test.ts counts it in
      // a browser).
      script: await initialBytes(`
        export { load, compile } from ${JSON.stringify(gruvLibrary)}
      `),
      wasm: 0,
    },
    {
      contender: 'onnxruntime-web',
      script: gzipped(readFileSync(join(ortWeb, 'ort.wasm.bundle.min.mjs'))),
      wasm: gzipped(readFileSync(join(ortWeb, 'ort-wasm-simd-threaded.wasm'))),
    },
    {
      contender: 'tfjs-wasm',
      script: await initialBytes(`
        export { setBackend, tidy, tensor3d, zeros } from '@tensorflow/tfjs-core'
        export { layers, sequential } from '@tensorflow/tfjs-layers'
        import '@tensorflow/tfjs-backend-wasm'
      `),
      wasm: wasmOf('@tensorflow/tfjs-backend-wasm', 'tfjs-backend-wasm-simd.wasm'),
    },
    {
      contender: 'plain-js',
      script: await initialBytes(`export { plainJs } from './contenders/plain-js.js'`),
      wasm: 0,
    },
  ]
}

/** The minified size for browsers of an entry and of what it needs at once. */
async function initialBytes(contents: string): Promise<number> {
  const { metafile, outputFiles } = await build({
    stdin: { contents, resolveDir: here },
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    splitting: true,
    outdir: '/bundle',
    write: false,
    metafile: true,
    logLevel: 'error',
    // Behind a check for Node.
    external: [
      'node:*',
      'fs',
      'path',
      'os',
      'crypto',
      'util',
      'worker_threads',
      'perf_hooks',
      'string_decoder',
    ],
  })
  const outputs = new Map(
    Object.entries(metafile.outputs).map(([path, output]) => [path.split('/').at(-1)!, output]),
  )
  const needed = new Set<string>()
  const visit = (file: string): void => {
    if (needed.has(file)) return
    needed.add(file)
    for (const { path, kind } of outputs.get(file)?.imports ?? []) {
      if (kind === 'import-statement') visit(path.split('/').at(-1)!)
    }
  }
  for (const [file, { entryPoint }] of outputs) {
    if (entryPoint === '<stdin>') visit(file)
  }
  return outputFiles
    .filter(({ path }) => needed.has(path.split('/').at(-1)!))
    .reduce((sum, { contents }) => sum + gzipped(contents), 0)
}

function gzipped(bytes: Uint8Array): number {
  return gzipSync(bytes, { level: 9 }).length
}
