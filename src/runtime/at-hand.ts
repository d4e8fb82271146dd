/** The toolkit of most models, and that of all others, which is fetched when a model needs it. */

import { plainShapes } from '../model/plain.ts'
import type { LayerNode, Model } from '../model/types.ts'
import { dense } from './layers/dense.ts'
import { gru } from './layers/gru.ts'
import type { PlanOptions } from './plan.ts'
import type { Toolkit } from './toolkit.ts'
import { activations } from './wasm/kernels/activations.ts'
import { writeDense } from './wasm/kernels/dense.ts'
import { writeGru } from './wasm/kernels/gru.ts'
import { float32 } from './wasm/kernels/math.ts'
import { opcodes } from './wasm/opcodes.ts'

/** GRU and Dense in float32, with the activations that most of them have. */
const toolkitAtHand: Toolkit = {
  shapes: plainShapes,
  statesOf: (node) => (node.kind === 'gru' ? [{ name: `${node.name}.h`, size: node.units }] : []),
  plans: { gru, dense },
  writing: {
    opcodes,
    writers: { gru: writeGru, dense: writeDense },
    activations,
    arithmetics: { f32: float32 },
  },
  whole: null,
}

/** With at least what this model needs. */
export async function toolkitFor(
  model: Model,
  { precision }: Pick<PlanOptions, 'precision'>,
): Promise<Toolkit> {
  const usual = model.nodes.every(isAtHand) && plainShapes(model) !== null
  if (precision === 'f32' && usual) return toolkitAtHand
  return (await import('./at-once.ts')).allTools
}

function isAtHand(node: LayerNode): boolean {
  if (node.kind !== 'gru' && node.kind !== 'dense') return false
  const kinds =
    node.kind === 'gru' ? [node.activation, node.recurrentActivation] : [node.activation]
  return kinds.every(({ kind }) => kind === 'softmax' || Object.hasOwn(activations, kind))
}
