/**
 * Plans and runs layers on whole tensors, in float64, of any kind but the recurrent ones: layers that
 * see everything at once, and layers of vectors whose values have more axes than frames hold. The
 * code is the reference's own; docs/architecture.md says what proves it.
 */

import type { Conv1dNode, ConvNode, LayerNode, TensorNode, VectorNode } from '../../model/types.ts'
import { weightsOf } from '../../model/weights.ts'
import type { Named, Tensor } from '../../tensor.ts'
import type { TensorKernel } from '../plan/kernels.ts'
import { wholeLayer } from '../reference/layers.ts'
import type { Run, TensorOps } from '../run/predict.ts'
import type { TensorContext } from './index.ts'
import { checkRun, drop, livesOf } from './memory.ts'

export const tensorOps: TensorOps = {
  plan,
  check: checkRun,
  run,
  drop: ({ plan: planned, model, tensors }, stage) => {
    const lives = livesOf(planned, model)
    drop(tensors, lives, lives.first[stage])
  },
}

function plan(node: LayerNode): TensorKernel {
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

/** Node by node, with one rounding at the end of each. */
function* run({ plan: planned, model, inputs, tensors }: Run, stage: number): Generator<void> {
  const lives = livesOf(planned, model)
  for (const [i, { node: name }] of planned.stages[stage].kernels.entries()) {
    const node = lives.nodes.get(name)!
    const arriving = Object.fromEntries(
      Object.entries(node.inputs).map(([port, value]) => [port, tensors.get(value)!]),
    )
    const leaving = runNode(node, arriving, inputs)
    for (const [port, value] of Object.entries(node.outputs)) {
      const { shape, data } = leaving[port]
      inputs.bind(planned.shapes[value], shape, name)
      const rounded = planned.precision === 'f32' ? Float32Array.from(data) : data
      tensors.set(value, { shape, data: rounded })
    }
    drop(tensors, lives, lives.first[stage] + i)
    yield
  }
}

/** Inputs and outputs by port. */
export function runNode(
  node: LayerNode,
  inputs: Named<Tensor>,
  context: TensorContext,
): Named<Tensor> {
  return wholeLayer(
    // Recurrent layers never come here: whatever they run over, they have a stage for it.
    node.kind === 'conv1d' ? asConv(node) : (node as VectorNode | TensorNode),
    inputs,
    context,
  )
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
