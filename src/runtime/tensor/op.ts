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
import type { TensorContext, TensorOps } from './index.ts'

export const tensorOps: TensorOps = { plan, run }

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

function run(node: LayerNode, inputs: Named<Tensor>, context: TensorContext): Named<Tensor> {
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
