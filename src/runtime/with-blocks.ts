/** A piece (`at-hand.ts`) for plain models with a GRU that is large enough to go to some length for it. */

import type { Toolkit } from './toolkit.ts'
import { writeGruOfAnySize } from './wasm/kernels/gru-block.ts'

export { compileWith } from './program.ts'

export function add({ writing, ...tools }: Toolkit): Toolkit {
  return {
    ...tools,
    writing: { ...writing, writers: { ...writing.writers, gru: writeGruOfAnySize } },
  }
}
