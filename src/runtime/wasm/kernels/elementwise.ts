/** Activation, rectifier and affine layers in WebAssembly, in the order of `js/`. */

import { isElementwise } from '../../../model/activation.ts'
import type { ActivationKernel } from '../../layers/activation.ts'
import type { AffineKernel, BatchNormKernel } from '../../layers/affine.ts'
import type { PreluKernel } from '../../layers/prelu.ts'
import { padded } from '../../plan.ts'
import { activate } from './activations.ts'
import type { Entry, Routine, Site } from './kernel.ts'
import { all, copyNumbers, hold, madd } from './lanes.ts'
import { writeElementwise, writeMap } from './map.ts'

export function writeActivation(site: Site, kernel: ActivationKernel, entry: Entry): Routine {
  const { activation, width } = kernel
  if (isElementwise(activation)) {
    return writeElementwise(site, kernel, entry, [], (k, x, y) => {
      const a = hold(k, k.f.v128.load(0, x))
      k.f.v128.store(0, y, activate(k, activation, a))
    })
  }
  return writeMap(site, kernel, entry, (k, x, y) => {
    copyNumbers(k, y, x, padded(width))
    k.softmax!(k, y, width)
  })
}

/** y = x < 0 ? alpha·x : x */
export function writePrelu(site: Site, kernel: PreluKernel, entry: Entry): Routine {
  return writeElementwise(site, kernel, entry, [kernel.alpha], (k, x, y, [alpha]) => {
    const { float, v128 } = k.f
    const a = hold(k, v128.load(0, x))
    const scaled = hold(k, float.mul(v128.load(0, alpha), a))
    v128.store(0, y, v128.bitselect(scaled, a, float.lt(a, all(k, 0))))
  })
}

/** y = (x − centre) ⊙ scale + shift */
export function writeAffine(
  site: Site,
  kernel: AffineKernel | BatchNormKernel,
  entry: Entry,
): Routine {
  const { lanes, weights } = kernel
  const arrays = [weights, weights + lanes, weights + 2 * lanes]
  return writeElementwise(site, kernel, entry, arrays, (k, x, y, [centre, scale, shift]) => {
    const { float, v128 } = k.f
    const a = hold(k, float.sub(v128.load(0, x), v128.load(0, centre)))
    const end = hold(k, v128.load(0, shift))
    v128.store(0, y, madd(k, a, v128.load(0, scale), end))
  })
}
