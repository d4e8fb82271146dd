/**
 * Plain models with a softmax, or with a GRU that is large enough to go to some length for it: what a
 * page with neither need not fetch. It reaches what `compile` reaches, so that bundlers have no reason
 * to cut that.
 */

import type { Model } from '../model/types.ts'
import { toolkitAtHand } from './at-hand.ts'
import { type CompileOptions, compileWith, type Program } from './program.ts'
import type { Toolkit } from './toolkit.ts'
import { writeGruOfAnySize } from './wasm/kernels/gru-block.ts'
import { softmax } from './wasm/kernels/softmax.ts'

const { writing } = toolkitAtHand

export const toolkitWithMore: Toolkit = {
  ...toolkitAtHand,
  writing: { ...writing, writers: { ...writing.writers, gru: writeGruOfAnySize }, softmax },
}

export function compileWithMore(model: Model, options: CompileOptions): Promise<Program> {
  return compileWith(toolkitWithMore, model, options)
}
