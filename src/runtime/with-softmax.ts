/**
 * Plain models with a softmax, which most do not have. It reaches what `compile` reaches, so that
 * bundlers have no reason to cut that.
 */

import type { Model } from '../model/types.ts'
import { toolkitAtHand } from './at-hand.ts'
import { type CompileOptions, compileWith, type Program } from './program.ts'
import { softmax } from './wasm/kernels/softmax.ts'

export const toolkitWithSoftmax = {
  ...toolkitAtHand,
  writing: { ...toolkitAtHand.writing, softmax },
}

export function compileWithSoftmax(model: Model, options: CompileOptions): Promise<Program> {
  return compileWith(toolkitWithSoftmax, model, options)
}
