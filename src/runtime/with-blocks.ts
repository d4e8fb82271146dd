/**
 * Plain models with a GRU that is large enough to go to some length for it. It reaches what `compile`
 * reaches, so that bundlers have no reason to cut that.
 */

import type { Model } from '../model/types.ts'
import { toolkitAtHand } from './at-hand.ts'
import { type CompileOptions, compileWith, type Program } from './program.ts'
import type { Toolkit } from './toolkit.ts'
import { writeGruOfAnySize } from './wasm/kernels/gru-block.ts'
import { type Instructions, instructions, op, plainWriterOf } from './wasm/plain.ts'

const { writing } = toolkitAtHand

/** What blocks are written in besides. */
export const i32: Instructions[string] = {
  ...instructions.i32,
  eq: op(0x46),
  mul: op(0x6c),
  and: op(0x71),
  shr_u: op(0x76),
}

export const toolkitWithBlocks: Toolkit = {
  ...toolkitAtHand,
  writing: {
    ...writing,
    writer: plainWriterOf({ ...instructions, i32 }),
    writers: { ...writing.writers, gru: writeGruOfAnySize },
  },
}

export function compileWithBlocks(model: Model, options: CompileOptions): Promise<Program> {
  return compileWith(toolkitWithBlocks, model, options)
}
