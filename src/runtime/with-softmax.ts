/** A piece (`at-hand.ts`) for plain models with a softmax. */

import type { Toolkit } from './toolkit.ts'
import { exp } from './wasm/kernels/exp.ts'
import { softmax } from './wasm/kernels/softmax.ts'

export { compileWith } from './program.ts'

export function add({ writing, ...tools }: Toolkit): Toolkit {
  const { f32 } = writing.arithmetics
  const arithmetics = { f32: { ...f32, elementary: { ...f32.elementary, exp } } }
  return { ...tools, writing: { ...writing, arithmetics, softmax } }
}
