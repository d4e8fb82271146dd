/** Nodes without a graph around them, and tensors of whole numbers. */

import type { LayerKind, NodeOf, TensorNode } from '../../../src/model/types.ts'
import { runTensorLayer } from '../../../src/runtime/tensor/index.ts'
import { type Named, sizeOf, type Tensor } from '../../../src/tensor.ts'

type Attributes<K extends LayerKind> = Omit<
  NodeOf<K>,
  'name' | 'inputs' | 'outputs' | 'conventions'
>

/** A node called `layer`. */
export function node<K extends TensorNode['kind']>(
  attributes: { readonly kind: K } & Attributes<K>,
): NodeOf<K> {
  return {
    name: 'layer',
    inputs: {},
    outputs: {},
    conventions: [],
    ...attributes,
  } as unknown as NodeOf<K>
}

/** 1, 2, 3 … in that shape. */
export function counted(...shape: readonly number[]): Tensor {
  return { shape, data: Float64Array.from({ length: sizeOf(shape) }, (_, i) => i + 1) }
}

/** Runs a layer with output `y`; symbols have these numbers. */
export function run(
  layer: TensorNode,
  inputs: Named<Tensor>,
  symbols: Named<number> = {},
): Tensor & { readonly data: Float64Array } {
  const { y } = runTensorLayer(layer, inputs, { extent: (dim) => symbols[dim] })
  return y as Tensor & { readonly data: Float64Array }
}
