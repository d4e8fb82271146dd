/**
 * Plain models with a softmax. It reaches what `compile` reaches, so that bundlers have no reason to
 * cut that.
 */

import type { Model } from '../model/types.ts'
import { type CompileOptions, compileWith, type Program } from './program.ts'
import type { Toolkit } from './toolkit.ts'
import { exp } from './wasm/kernels/exp.ts'
import { softmax } from './wasm/kernels/softmax.ts'

export function add({ writing, ...tools }: Toolkit): Toolkit {
  const { f32 } = writing.arithmetics
  const arithmetics = { f32: { ...f32, elementary: { ...f32.elementary, exp } } }
  return { ...tools, writing: { ...writing, arithmetics, softmax } }
}

export function compileFurther(
  tools: Toolkit,
  model: Model,
  options: CompileOptions,
): Promise<Program> {
  return compileWith(add(tools), model, options)
}
