/** The Dense layer in WebAssembly, with the weights and the order of `js/dense.ts`. */

import { type Activation, isElementwise } from '../../../model/activation/activations.ts'
import type { DenseKernel } from '../../plan/kernels.ts'

import { activate } from './activations.ts'
import { overUnits, starts, sumsOf } from './cell.ts'
import type { CodegenContext, Entry, Routine } from './context.ts'
import { accumulate, address, pointer, VECTOR } from './emitter.ts'
import { writeVectorLayer } from './loop-nest.ts'
import { softmax } from './softmax.ts'

export function writeDense(context: CodegenContext, kernel: DenseKernel, entry: Entry): Routine {
  const { kind, x, y } = kernel
  return writeVectorLayer(context, kind, [x, y], writeProduct(context, kernel), entry)
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
  { func }: CodegenContext,
  { kind, features, units, activation, panels, biases }: Product,
): Routine {
  return func(`${kind} ${features} to ${units}`, (k, x, y) => {
    const { local, v128 } = k.f
    overUnits(k, { rows: features, units }, 1, address(k, panels), (strip) => {
      const [b, to] = [address(k, biases), y].map(strip.part)
      const accs = starts(strip, b, 0)
      const [w, from] = [strip.w, x].map((each) => pointer(k, each))
      accumulate(k, sumsOf(strip, [accs], 0), w, strip.row, [from], features)
      accs.forEach((acc, v) => {
        const a = isElementwise(activation) ? activate(k, activation, acc) : local.get(acc)
        v128.store(v * VECTOR, to, a)
      })
    })
    if (!isElementwise(activation)) softmax(k, y, units)
  })
}
