/** Everybody who takes part, in the order of the tables. */

import type { Contender } from '../contender.ts'

/** To add a contender: a file, and a line here. Imports are lazy, so that a process pays for its own. */
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

async function gruvIn(mode: string): Promise<Contender> {
  return (await import('./gruv.ts')).gruv(mode)
}
