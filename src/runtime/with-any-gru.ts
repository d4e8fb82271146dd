/** A piece (`at-hand.ts`) for plain models with a GRU whose reset comes before the product. */

import type { Toolkit } from './toolkit.ts'
import { writeAnyGru } from './wasm/kernels/gru-any.ts'

export { compileWith } from './program.ts'

export function add({ writing, ...tools }: Toolkit): Toolkit {
  return { ...tools, writing: { ...writing, writers: { ...writing.writers, gru: writeAnyGru } } }
}
