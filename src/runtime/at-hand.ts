/** The toolkit of most models, and which those are: that of all others is fetched. */

import { plainKinds } from '../model/plain.ts'
import type { LayerNode, Model } from '../model/types.ts'
import { readSequence } from './inputs.ts'
import type { Layer } from './layer.ts'
import { dense } from './layers/dense.ts'
import { gru, isSmall } from './layers/gru.ts'
import { passOver } from './pass-over.ts'
import type { CompileOptions } from './program.ts'
import { arrangeChain } from './stages.ts'
import type { Toolkit } from './toolkit.ts'
import { activations } from './wasm/kernels/activations.ts'
import { writeDense } from './wasm/kernels/dense.ts'
import { writeGru } from './wasm/kernels/gru.ts'
import { float32 } from './wasm/kernels/math.ts'
import { plainWriter } from './wasm/plain.ts'

/** Plain models in float32 that need nothing else (`needsMore`, `needsBlocks`). */
export const toolkitAtHand: Toolkit = {
  serves: isPlain,
  kinds: plainKinds,
  // Only nodes of these kinds are asked for; TypeScript cannot follow an index.
  layer: ({ kind }) => ({ gru, dense })[kind as 'gru' | 'dense'] as Layer,
  arrange: arrangeChain,
  writing: {
    writer: plainWriter,
    writers: { gru: writeGru, dense: writeDense },
    activations,
    softmax: null,
    arithmetics: { f32: float32 },
  },
  mixed: null,
  passOver,
  readInputs: readSequence,
  zeros: ([{ shape }], steps) => new Float32Array(steps * Number(shape[2])),
  runWhole: null,
  stream: (_, open) => open(),
}

/** Whether nothing needs to be fetched: neither for the model, nor for options that are odd or wrong. */
export function isAtHand(model: Model, options: CompileOptions): boolean {
  const { precision = 'f32', streams = 1, engine = 'auto', threads = 1, artifact } = options
  return (
    precision === 'f32' &&
    Number.isInteger(streams) &&
    streams > 0 &&
    (engine === 'auto' || engine === 'wasm') &&
    threads === 1 &&
    artifact === undefined &&
    isPlain(model)
  )
}

/**
 * A *plain* model takes one sequence [batch, time, features] through layers that stand one behind
 * the other: GRUs that run forward, and Dense, with the activations that most of them have.
 */
function isPlain({ inputs, outputs, nodes }: Model): boolean {
  const shapes = inputs.map(({ shape }) => shape.join(' ')).join()
  let made = inputs.map(({ name }) => name)
  return (
    /^batch time \d+$/.test(shapes) &&
    [...inputs, ...outputs].every(({ axes }) => axes === undefined) &&
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
  return node.kind === 'dense' && (hasSoftmax(node) || has(node.activation))
}

/** Whether a plain model has what most do not (`with-more.ts`). */
export function needsMore({ nodes }: Model): boolean {
  return nodes.some((node) => (node.kind === 'gru' ? !node.resetAfter : hasSoftmax(node)))
}

/** Whether a plain model has a large GRU (`with-blocks.ts`). */
export function needsBlocks({ nodes }: Model): boolean {
  return nodes.some((node) => node.kind === 'gru' && !isSmall(node, 'f32'))
}

function hasSoftmax(node: LayerNode): boolean {
  return node.kind === 'dense' && node.activation.kind === 'softmax'
}

function has({ kind }: { readonly kind: string }): boolean {
  return kind in activations
}
