/**
 * How layers are planned: what each kind runs over, how it is laid out, how its weights are packed.
 * Shapes and states are the model's (`model/layers.ts`). What has no entry here works on whole tensors
 * (`whole.ts`); so does a layer whose values have more axes than frames hold.
 */

import type { LayerKind, LayerNode, NodeOf } from '../model/types.ts'
import type { FrameKernel, FrameKind, Layer, LayerPlan } from './layer.ts'
import { activation } from './layers/activation.ts'
import { affine, batchNorm } from './layers/affine.ts'
import { conv1d } from './layers/conv1d.ts'
import { dense } from './layers/dense.ts'
import { embedding } from './layers/embedding.ts'
import { gru } from './layers/gru.ts'
import { layerNorm } from './layers/layer-norm.ts'
import { lstm } from './layers/lstm.ts'
import { masking } from './layers/masking.ts'
import { merge } from './layers/merge.ts'
import { withOtherPorts } from './layers/other-ports.ts'
import { prelu } from './layers/prelu.ts'
import { rnn } from './layers/rnn.ts'
import { planWhole } from './whole.ts'

type LayerPlans = {
  readonly [K in FrameKind]: LayerPlan<NodeOf<K>, Extract<FrameKernel, { kind: K }>>
}

const layerPlans: LayerPlans = {
  gru: withOtherPorts(gru),
  lstm: withOtherPorts(lstm),
  rnn: withOtherPorts(rnn),
  dense,
  activation,
  prelu,
  affine,
  batchNorm,
  layerNorm,
  embedding,
  masking,
  conv1d,
  merge,
}

/** How a node of any kind is planned. */
export function layerOf({ kind }: LayerNode): Layer {
  // The table's type ties each kind to its node and kernel; TypeScript cannot follow an index.
  const plans: Partial<Record<LayerKind, LayerPlan<LayerNode, FrameKernel>>> = layerPlans as object
  const inFrames = plans[kind]
  return {
    place: (node, shape) => inFrames?.place(node, shape) ?? { sweep: 'whole', rows: 1, steps: 1 },
    plan: (node, placement, builder) =>
      placement.sweep === 'whole' ? planWhole(node) : inFrames!.plan(node, placement, builder),
    pack(node, kernel, memory) {
      if (kernel.kind !== 'whole') inFrames!.pack?.(node, kernel, memory)
    },
  }
}
