/**
 * Layers on whole tensors: planned like the others, but run outside the frames, in float64, with
 * one rounding at the end where the program computes in float32.
 */

import { weightsOf } from '../model/layers.ts'
import type { Conv1dNode, ConvNode, LayerNode, TensorNode, VectorNode } from '../model/types.ts'
import type { WholeKernel } from './layer.ts'
import { wholeLayer } from './reference/layers.ts'
import type { RunWhole } from './toolkit.ts'

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

/** Runs the nodes of a stage, one by one, on whole tensors. */
export const runWhole: RunWhole = function* ({ kernels }, { plan, model, inputs, tensors }) {
  for (const { node: name } of kernels) {
    const node = model.nodes.find((each) => each.name === name)!
    const arriving = Object.fromEntries(
      Object.entries(node.inputs).map(([port, value]) => [port, tensors.get(value)!]),
    )
    const leaving = wholeLayer(onWhole(node), arriving, inputs)
    for (const [port, value] of Object.entries(node.outputs)) {
      const { shape, data } = leaving[port]
      inputs.bind!(plan.shapes[value], shape, name)
      tensors.set(value, { shape, data: plan.precision === 'f32' ? Float32Array.from(data) : data })
    }
    yield
  }
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
