/**
 * What most plain models do not have: a softmax, a GRU whose reset comes before the product, blocks
 * for one that is large enough to go to some length for it. It is one piece, and reaches what
 * `compile` reaches, so that bundlers have no reason to cut that.
 */

import type { Model } from '../model/types.ts'
import { toolkitAtHand } from './at-hand.ts'
import { type CompileOptions, compileWith, type Program } from './program.ts'
import type { Toolkit } from './toolkit.ts'
import type { Code } from './wasm/encoding.ts'
import { exp } from './wasm/kernels/exp.ts'
import { writeAnyGru } from './wasm/kernels/gru-block.ts'
import { float32 } from './wasm/kernels/math.ts'
import { softmax } from './wasm/kernels/softmax.ts'
import { instructions, op, plainWriterOf, simd } from './wasm/plain.ts'

const { i32, v128, i32x4 } = instructions
const { writing } = toolkitAtHand

export const toolkitWithMore: Toolkit = {
  ...toolkitAtHand,
  writing: {
    ...writing,
    writer: plainWriterOf({
      ...instructions,
      i32: { ...i32, eq: op(0x46), mul: op(0x6c), and: op(0x71), shr_u: op(0x76) },
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
