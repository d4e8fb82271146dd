/** The Dense layer in WebAssembly, with the weights and the order of `js/dense.ts`. */

import { type Activation, isElementwise } from '../../../model/activation.ts'
import type { DenseKernel } from '../../layers/dense.ts'
import { activate } from './activations.ts'
import { overUnits, starts, sumsOf } from './cell.ts'
import type { Entry, Routine, Site } from './kernel.ts'
import { accumulate, address, pointer, VECTOR } from './lanes.ts'
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
  { func }: Site,
  { kind, features, units, activation, panels, biases }: Product,
): Routine {
  return func(`${kind} ${features} to ${units}`, (k, x, y) => {
    const { local, v128 } = k.f
    overUnits(k, { rows: features, units }, 1, address(k, panels), (block) => {
      const [b, to] = [address(k, biases), y].map(block.part)
      const accs = starts(block, b, 0)
      const [w, from] = [block.w, x].map((each) => pointer(k, each))
      accumulate(k, sumsOf(block, [accs], 0), w, block.row, [from], features)
      accs.forEach((acc, v) => {
        const a = isElementwise(activation) ? activate(k, activation, acc) : local.get(acc)
        v128.store(v * VECTOR, to, a)
      })
    })
    if (!isElementwise(activation)) k.softmax!(k, y, units)
  })
}
