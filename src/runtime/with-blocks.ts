/**
 * Plain models with a GRU that is large enough to go to some length for it. It reaches what `compile`
 * reaches, so that bundlers have no reason to cut that.
 */

import type { Model } from '../model/types.ts'
import { type CompileOptions, compileWith, type Program } from './program.ts'
import type { Toolkit } from './toolkit.ts'
import { writeGruOfAnySize } from './wasm/kernels/gru-block.ts'

export function add({ writing, ...tools }: Toolkit): Toolkit {
  return {
    ...tools,
    writing: { ...writing, writers: { ...writing.writers, gru: writeGruOfAnySize } },
  }
}

export function compileFurther(
  tools: Toolkit,
  model: Model,
  options: CompileOptions,
): Promise<Program> {
  return compileWith(add(tools), model, options)
}
