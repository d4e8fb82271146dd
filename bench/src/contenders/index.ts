/** The table of contenders, in the order of the reports. */

import type { Contender } from '../contender.ts'

/**
 * To add a contender: a file, and a line here. Lazy imports load only the contenders of a process.
 */
const table: Readonly<Record<string, (name: string) => Promise<Contender>>> = {
  'gruv-fused': gruvIn,
  'gruv-deterministic': gruvIn,
  'gruv-f64': gruvIn,
  'gruv-js': gruvIn,
  'onnxruntime-node': async () => (await import('./onnxruntime.ts')).onnxruntimeNode,
  'onnxruntime-node-threads': async () => (await import('./onnxruntime.ts')).onnxruntimeNodeThreads,
  'onnxruntime-web': async () => (await import('./onnxruntime.ts')).onnxruntimeWeb,
  'tfjs-wasm': async () => (await import('./tfjs-wasm.ts')).tfjsWasm,
  'plain-js': async () => (await import('./plain-js.ts')).plainJs,
}

export const contenderNames: readonly string[] = Object.keys(table)

export function contender(name: string): Promise<Contender> {
  return table[name](name)
}

/**
 * Each mode is an instance of its own of the bundle that `bundles.ts` makes of gruv.ts and the
 * library: JavaScript engines optimise code by what has passed through it, and a page that runs one
 * mode does not pay for the others. Together in one instance, a step of six units takes 8 ns more.
 */
async function gruvIn(mode: string): Promise<Contender> {
  const bundle: typeof import('./gruv.ts') = await import(`../gruv.bundle.js?${mode}`)
  return bundle.gruv(mode)
}
