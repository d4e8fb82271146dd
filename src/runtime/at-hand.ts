/** The toolkit of most models, and which those are: that of all others is fetched. */

import { plainKinds } from '../model/plain.ts'
import type { LayerNode, Model } from '../model/types.ts'
import { readSequence } from './inputs.ts'
import type { Layer } from './layer.ts'
import { dense } from './layers/dense.ts'
import { gru, isSmall } from './layers/gru.ts'
import { passOver } from './pass-over.ts'
import type { CompileOptions, compileWith } from './program.ts'
import { arrangeChain } from './stages.ts'
import type { Toolkit } from './toolkit.ts'
import { activations } from './wasm/kernels/activations.ts'
import { writeDense } from './wasm/kernels/dense.ts'
import { writeGru } from './wasm/kernels/gru.ts'
import { float32 } from './wasm/kernels/math.ts'
import { plainWriter } from './wasm/plain.ts'

/** Plain models in float32; some lack a piece (`lacking`). */
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

/**
 * Whether these tools do, with a piece that is added: for the model, and for options that are neither
 * odd nor wrong.
 */
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

/** What a plain model has that most do not: tools for it, added to others. */
export interface Piece {
  readonly add: (tools: Toolkit) => Toolkit
  /**
   * The one there is: a piece that reaches what `compile` reaches gives
   * bundlers no reason to cut that.
   */
  readonly compileWith: typeof compileWith
}

/** The next piece that these tools lack for a plain model. */
export function lacking(
  { writing: { writers, softmax } }: Toolkit,
  { nodes }: Model,
): (() => Promise<Piece>) | null {
  if (softmax === null && nodes.some(hasSoftmax)) return () => import('./with-softmax.ts')
  if (writers.gru !== writeGru) return null
  const grus = nodes.filter((node) => node.kind === 'gru')
  if (grus.some(({ resetAfter }) => !resetAfter)) return () => import('./with-any-gru.ts')
  return grus.every((node) => isSmall(node, 'f32')) ? null : () => import('./with-blocks.ts')
}

function hasSoftmax(node: LayerNode): boolean {
  return node.kind === 'dense' && node.activation.kind === 'softmax'
}

function has({ kind }: { readonly kind: string }): boolean {
  return kind in activations
}
