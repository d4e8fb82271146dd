/**
 * Plain models with a GRU whose reset comes before the product. It reaches what `compile` reaches, so
 * that bundlers have no reason to cut that.
 */

import type { Model } from '../model/types.ts'
import { type CompileOptions, compileWith, type Program } from './program.ts'
import type { Toolkit } from './toolkit.ts'
import { writeAnyGru } from './wasm/kernels/gru-any.ts'

export function add({ writing, ...tools }: Toolkit): Toolkit {
  return { ...tools, writing: { ...writing, writers: { ...writing.writers, gru: writeAnyGru } } }
}

export function compileFurther(
  tools: Toolkit,
  model: Model,
  options: CompileOptions,
): Promise<Program> {
  return compileWith(add(tools), model, options)
}
