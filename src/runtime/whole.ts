/**
 * Layers on whole tensors: planned like the others, but run outside the frames, in float64, with
 * one rounding at the end where the program computes in float32.
 */

import { weightsOf } from '../model/layers.ts'
import type {
  Conv1dNode,
  ConvNode,
  Dim,
  LayerNode,
  TensorNode,
  VectorNode,
} from '../model/types.ts'
import type { Tensor } from '../tensor.ts'
import type { WholeKernel } from './layer.ts'
import { wholeLayer } from './reference/layers.ts'

export function planWhole(node: LayerNode): WholeKernel {
  const { kind, name, inputs, outputs, conventions: _, ...rest } = node
  const shapes = Object.entries(weightsOf(node)).map(([path, { shape }]) => [path, shape])
  return {
    kind: 'whole',
    node: name,
    layer: kind,
    inputs,
    outputs,
    attributes: { ...rest, weights: Object.fromEntries(shapes) },
  }
}

/**
 * Runs a node on whole tensors.
 * @param extent the number behind a symbol of this run.
 */
export function runWhole(
  node: LayerNode,
  tensors: ReadonlyMap<string, Tensor>,
  extent: (dim: Dim) => number,
): ReadonlyMap<string, Tensor> {
  const inputs = Object.fromEntries(
    Object.entries(node.inputs).map(([port, value]) => [port, tensors.get(value)!]),
  )
  const leaving = wholeLayer(onWhole(node), inputs, { extent })
  return new Map(
    Object.entries(node.outputs).map(([port, value]) => [value, leaving[port]] as const),
  )
}

/** Recurrent layers never come here: whatever they run over, they have a stage for it. */
function onWhole(node: LayerNode): VectorNode | TensorNode {
  return node.kind === 'conv1d' ? asConv(node) : (node as VectorNode | TensorNode)
}

/** The reference's convolution over time is written to be read; the general one is fast. */
function asConv({ stride, dilation, padding, ...node }: Conv1dNode): ConvNode {
  return {
    ...node,
    kind: 'conv',
    strides: [stride],
    dilations: [dilation],
    padding: padding === 'same' ? 'same' : [padding],
  }
}
