/** The Dense layer in WebAssembly, with the weights and the order of `js/dense.ts`. */

import { type Activation, isElementwise } from '../../../model/activation.ts'
import type { DenseKernel } from '../../layers/dense.ts'
import { LANES, padded } from '../../plan.ts'
import type { Func } from '../assembler.ts'
import { activate } from './activations.ts'
import type { KernelFuncs, Site } from './kernel.ts'
import {
  accumulate,
  address,
  hold,
  overBlocks,
  type Pointer,
  pointer,
  VECTOR,
  writing,
} from './lanes.ts'
import { writeVectorLayer } from './over-frame.ts'

export function writeDense(site: Site, kernel: DenseKernel): KernelFuncs {
  const { node, x, y } = kernel
  return writeVectorLayer(site, node, [x, y], writeProduct(site, kernel))
}

/** A product with a matrix, wherever its vectors lie. */
export interface Product {
  readonly node: string
  readonly features: number
  readonly units: number
  readonly activation: Activation
  /** Offsets in the weights. */
  readonly panels: number
  readonly biases: number
}

/** (x, y): a vector of features to a vector of units. */
export function writeProduct(
  { module, target }: Site,
  { node, features, units, activation, panels: panelsAt, biases: biasesAt }: Product,
): Func<readonly ['i32', 'i32'], undefined> {
  const { group, parts, vectors } = target
  const panel = features * group
  return module.func({ name: node, params: ['i32', 'i32'] }, (f, x, y) => {
    const k = writing(target, f)
    const { local, v128 } = f
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
