/** The toolkit of most models, and that of all others, which is fetched when a model needs it. */

import { plainKinds } from '../model/plain.ts'
import type { LayerNode, Model } from '../model/types.ts'
import type { Layer } from './layer.ts'
import { dense } from './layers/dense.ts'
import { gru } from './layers/gru.ts'
import type { PlanOptions } from './plan.ts'
import { arrangeChain } from './stages.ts'
import type { Toolkit } from './toolkit.ts'
import { activations } from './wasm/kernels/activations.ts'
import { writeDense } from './wasm/kernels/dense.ts'
import { writeGru } from './wasm/kernels/gru.ts'
import { once } from './wasm/kernels/kernel.ts'
import { float32 } from './wasm/kernels/math.ts'
import { opcodes } from './wasm/opcodes.ts'
import { plainWriter } from './wasm/plain.ts'

/** Plain models in float32. */
const toolkitAtHand: Toolkit = {
  serves: isPlain,
  kinds: plainKinds,
  // Only nodes of these kinds are asked for; TypeScript cannot follow an index.
  layer: ({ kind }) => ({ gru, dense })[kind as 'gru' | 'dense'] as Layer,
  arrange: arrangeChain,
  writing: {
    writer: once(() => plainWriter(opcodes)),
    writers: { gru: writeGru, dense: writeDense },
    activations,
    arithmetics: { f32: float32 },
  },
  mixed: null,
  whole: null,
}

/** With at least what this model needs. */
export async function toolkitFor(
  model: Model,
  { precision }: Pick<PlanOptions, 'precision'>,
): Promise<Toolkit> {
  if (precision === 'f32' && isPlain(model)) return toolkitAtHand
  return (await import('./at-once.ts')).allTools
}

/**
 * A *plain* model takes one sequence through layers that stand one behind the other: GRUs that run
 * forward, and Dense, with the activations that most of them have.
 */
function isPlain({ inputs, nodes }: Model): boolean {
  const [{ name, shape, axes }, ...others] = inputs
  const dims = shape.map((dim) => typeof dim).join(' ')
  let made = [name]
  return (
    others.length === 0 &&
    axes === undefined &&
    dims === 'string string number' &&
    nodes.every((node) => {
      const { x, ...more } = node.inputs
      const next = made.includes(x) && Object.keys(more).length === 0
      made = Object.values(node.outputs)
      return next && isPlainLayer(node)
    })
  )
}

function isPlainLayer(node: LayerNode): boolean {
  if (node.kind === 'gru')
    return node.direction === 'forward' && has(node.activation) && has(node.recurrentActivation)
  return node.kind === 'dense' && (node.activation.kind === 'softmax' || has(node.activation))
}

function has({ kind }: { readonly kind: string }): boolean {
  return kind in activations
}
