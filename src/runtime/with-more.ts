/**
 * Plain models with a softmax, or with a GRU whose reset comes before the product. It reaches what
 * `compile` reaches, so that bundlers have no reason to cut that.
 */

import type { Model } from '../model/types.ts'
import { toolkitAtHand } from './at-hand.ts'
import { type CompileOptions, compileWith, type Program } from './program.ts'
import type { Toolkit } from './toolkit.ts'
import type { Code } from './wasm/encoding.ts'
import { exp } from './wasm/kernels/exp.ts'
import { writeAnyGru } from './wasm/kernels/gru-any.ts'
import { float32 } from './wasm/kernels/math.ts'
import { softmax } from './wasm/kernels/softmax.ts'
import { instructions, op, plainWriterOf, simd } from './wasm/plain.ts'
import { i32 } from './with-blocks.ts'

const { v128, i32x4 } = instructions
const { writing } = toolkitAtHand

export const toolkitWithMore: Toolkit = {
  ...toolkitAtHand,
  writing: {
    ...writing,
    writer: plainWriterOf({
      ...instructions,
      i32,
      v128: { ...v128, bitselect: simd(0x52) },
      i8x16: { shuffle: (lanes: Code, a: Code, b: Code) => op(0xfd, 0x0d, lanes)(a, b) },
      i32x4: { ...i32x4, shr_s: simd(0xac) },
    }),
    writers: { ...writing.writers, gru: writeAnyGru },
    arithmetics: { f32: { ...float32, elementary: { ...float32.elementary, exp } } },
    softmax,
  },
}

export function compileWithMore(model: Model, options: CompileOptions): Promise<Program> {
  return compileWith(toolkitWithMore, model, options)
}
