/** Activation, rectifier and affine layers in WebAssembly, in the order of `js/`. */

import { isElementwise } from '../../../model/activation/activations.ts'
import type {
  ActivationKernel,
  AffineKernel,
  BatchNormKernel,
  PreluKernel,
} from '../../plan/kernels.ts'

import { padded } from '../../plan/types.ts'
import { activate } from './activations.ts'
import type { CodegenContext, Entry, Routine } from './context.ts'
import { copyNumbers, madd, splat, toLocal } from './emitter.ts'
import { writeElementwise, writeMap } from './map.ts'
import { softmax } from './softmax.ts'

export function writeActivation(
  context: CodegenContext,
  kernel: ActivationKernel,
  entry: Entry,
): Routine {
  const { activation, width } = kernel
  if (isElementwise(activation)) {
    return writeElementwise(context, kernel, entry, [], (k, x, y) => {
      const a = toLocal(k, k.f.v128.load(0, x))
      k.f.v128.store(0, y, activate(k, activation, a))
    })
  }
  return writeMap(context, kernel, entry, (k, x, y) => {
    copyNumbers(k, y, x, padded(width))
    softmax(k, y, width)
  })
}

/** y = x < 0 ? alpha·x : x */
export function writePrelu(context: CodegenContext, kernel: PreluKernel, entry: Entry): Routine {
  return writeElementwise(context, kernel, entry, [kernel.alpha], (k, x, y, [alpha]) => {
    const { float, v128 } = k.f
    const a = toLocal(k, v128.load(0, x))
    const scaled = toLocal(k, float.mul(v128.load(0, alpha), a))
    v128.store(0, y, v128.bitselect(scaled, a, float.lt(a, splat(k, 0))))
  })
}

/** y = (x − centre) ⊙ scale + shift */
export function writeAffine(
  context: CodegenContext,
  kernel: AffineKernel | BatchNormKernel,
  entry: Entry,
): Routine {
  const { lanes, weights } = kernel
  const arrays = [weights, weights + lanes, weights + 2 * lanes]
  return writeElementwise(context, kernel, entry, arrays, (k, x, y, [centre, scale, shift]) => {
    const { float, v128 } = k.f
    const a = toLocal(k, float.sub(v128.load(0, x), v128.load(0, centre)))
    const end = toLocal(k, v128.load(0, shift))
    v128.store(0, y, madd(k, a, v128.load(0, scale), end))
  })
}
