/** The Dense layer in WebAssembly, with the weights and the order of `js/dense.ts`. */

import { type Activation, isElementwise } from '../../../model/activation.ts'
import type { DenseKernel } from '../../layers/dense.ts'
import { LANES, padded } from '../../plan.ts'
import { activate } from './activations.ts'
import type { Entry, Routine, Site } from './kernel.ts'
import { accumulate, address, hold, overBlocks, type Pointer, pointer, VECTOR } from './lanes.ts'
import { writeVectorLayer } from './over-frame.ts'

export function writeDense(site: Site, kernel: DenseKernel, entry: Entry): Routine {
  const { kind, x, y } = kernel
  return writeVectorLayer(site, kind, [x, y], writeProduct(site, kernel), entry)
}

/** A product with a matrix, wherever its vectors lie. */
export interface Product {
  readonly kind: string
  readonly features: number
  readonly units: number
  readonly activation: Activation
  /** Offsets in the weights. */
  readonly panels: number
  readonly biases: number
}

/** (x, y): a vector of features to a vector of units. */
export function writeProduct(
  { func, target }: Site,
  { kind, features, units, activation, panels: panelsAt, biases: biasesAt }: Product,
): Routine {
  const { group, parts, vectors } = target
  const panel = features * group
  return func(`${kind} ${features} to ${units}`, (k, x, y) => {
    const { local, v128 } = k.f
    const [panels, biases] = [address(k, panelsAt), address(k, biasesAt)]
    const to = pointer(k, y)
    const moving: readonly (readonly [Pointer, number])[] = [
      [panels, panel],
      [biases, group],
      [to, group],
    ]
    // One sum for each vector, where a GRU has three: so many more vectors at a time.
    const most = Math.floor((3 * vectors) / parts)
    overBlocks(k, padded(units) / LANES, most, moving, (size) => {
      const sums = Array.from({ length: size * parts }, (_, v) => ({
        accs: [hold(k, v128.load(v * VECTOR, biases))],
        offset: Math.floor(v / parts) * panel + (v % parts) * VECTOR,
      }))
      accumulate(k, sums, pointer(k, panels), group, [pointer(k, x)], features)
      sums.forEach(({ accs: [acc] }, v) => {
        const a = isElementwise(activation) ? activate(k, activation, acc) : local.get(acc)
        v128.store(v * VECTOR, to, a)
      })
    })
    if (!isElementwise(activation)) k.softmax!(k, y, units)
  })
}
