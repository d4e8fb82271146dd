/**
 * `gruv/model`: what a model is, and how to build one in code.
 *
 *     const model = sequential([
 *       gru({ kernel, recurrentKernel, bias, gateOrder: 'zrn', reset: 'after' }),
 *       dense({ kernel: head, bias: headBias, activation: 'sigmoid' }),
 *     ])
 */

import { GruvError } from '../errors.ts'
import { type Tensor, type TensorLike, toTensor } from '../tensor.ts'
import { activation } from './activations.ts'
import type { ConventionOptions } from './conventions.ts'
import { denseNode } from './dense.ts'
import { type ChainLink, chain, createModel, link } from './graph.ts'
import { type Ground, type GruGrounds, gruNode } from './gru.ts'
import { kerasMaskedOutput, type MaskedOutput } from './masking.ts'
import type { GruNode, LayerNode, Model, ReferenceData, Unwired } from './types.ts'

export { type Activation, activation, activationTable, showActivation } from './activations.ts'
export { joinGates, splitGates } from './canonicalize.ts'
export {
  type Convention,
  type ConventionKey,
  type ConventionOptions,
  conventionTable,
  type GateOrder,
  meaningOf,
  type Origin,
  parseGateOrder,
} from './conventions.ts'
export { type EquationLine, type Equations, equations } from './equations.ts'
export { statesOf, weightsOf } from './layers.ts'
export { type KerasMasking, kerasMaskedOutput, kerasMasking, type MaskedOutput } from './masking.ts'
export { type LayerSummary, type ModelSummary, summarize } from './summary.ts'
export type {
  DenseNode,
  Dim,
  GruNode,
  GruWeights,
  LayerKind,
  LayerNode,
  Model,
  OutputPort,
  PerGate,
  Port,
  ReferenceData,
} from './types.ts'

export interface GruOptions extends Omit<ConventionOptions, 'bias'> {
  readonly name?: string
  /** [features, 3·units], or [3·units, features]. */
  readonly kernel: TensorLike
  /** [units, 3·units], or [3·units, units]. */
  readonly recurrentKernel: TensorLike
  /** [3·units], [2, 3·units] or [6·units]; none when left out. */
  readonly bias?: TensorLike
  /** [3·units], beside `bias` [3·units]. */
  readonly recurrentBias?: TensorLike
  /** Whether the candidate's recurrent bias lies inside the reset; default: it does where there is one. */
  readonly biasPlacement?: 'separate' | 'merged'
  /** Pass on the whole sequence (default) or the last step alone. */
  readonly returnSequences?: boolean
  /** Start at the last step; outputs then come in the order in which they are computed, as in Keras. */
  readonly goBackwards?: boolean
  /** What the output holds at masked steps; default `repeat`, as Keras since 2.3. */
  readonly maskedOutput?: MaskedOutput
  /** Limits pre-activations to ±clip, as ONNX's attribute does. */
  readonly clip?: number
}

/** A GRU layer; conventions left out are Keras's. */
export function gru(options: GruOptions): ChainLink {
  const node = unwiredGru(options, options.goBackwards ? 'backward' : 'forward')
  const sequences = options.returnSequences ?? true
  const forward = link(node, node.features, sequences ? 'sequence' : 'last')
  if (!(options.goBackwards && sequences)) return forward
  return {
    ...forward,
    wire: (x, name) => [...forward.wire(x, name), reversed(`${name}.sequence`, `${name}.reversed`)],
  }
}

export interface BidirectionalOptions {
  readonly name?: string
  /** The layer that reads from the first step to the last. Its `returnSequences` rules for both. */
  readonly forward: GruOptions
  /** The layer that reads from the last step to the first. */
  readonly backward: GruOptions
  /** How the two outputs become one; default `concat`. */
  readonly merge?: 'concat' | 'sum' | 'mul' | 'ave'
  /** Whose rule for masked outputs holds. */
  readonly kerasVersion?: string
}

const mergeModes = { concat: 'concatenate', sum: 'add', mul: 'multiply', ave: 'average' } as const

/**
 * Two GRU layers over the same input, one of them backwards, step t of both outputs merged.
 * Masked outputs are those of the wrapper in the Keras version given (default: today's), whatever
 * the layers say.
 */
export function bidirectional({
  name = 'bidirectional',
  forward,
  backward,
  merge = 'concat',
  kerasVersion = '3.0',
}: BidirectionalOptions): ChainLink {
  const sequences = forward.returnSequences ?? true
  const port = sequences ? 'sequence' : 'last'
  const maskedOutput = kerasMaskedOutput({
    version: kerasVersion,
    bidirectional: { returnSequences: sequences },
  })
  const halves = [
    { ...unwiredGru(forward, 'forward'), maskedOutput, half: 'forward' },
    { ...unwiredGru(backward, 'backward'), maskedOutput, half: 'backward' },
  ] as const
  return {
    name,
    features: halves[0].features,
    wire: (x, at) => {
      const nodes = halves.map(({ half, ...node }) => ({
        ...node,
        name: `${at}.${half}`,
        inputs: { x },
        outputs: { [port]: `${at}.${half}.${port}` },
      }))
      const inputs = Object.fromEntries(nodes.map((node, i) => [`${i}`, node.outputs[port]]))
      const merged: LayerNode = {
        kind: 'merge',
        name: `${at}.merge`,
        mode: mergeModes[merge],
        inputs,
        outputs: { y: `${at}.y` },
        conventions: [],
      }
      return [...nodes, merged]
    },
  }
}

function reversed(x: string, y: string): LayerNode {
  return { kind: 'reverse', name: y, inputs: { x }, outputs: { y }, conventions: [] }
}

function unwiredGru(options: GruOptions, direction: 'forward' | 'backward'): Unwired<GruNode> {
  const arrays = {
    kernel: toTensor(options.kernel, 'kernel'),
    recurrentKernel: toTensor(options.recurrentKernel, 'recurrentKernel'),
    bias: optional(options.bias, 'bias'),
    recurrentBias: optional(options.recurrentBias, 'recurrentBias'),
  }
  return gruNode(
    options.name ?? 'gru',
    arrays,
    saidInCode(options),
    {},
    {
      direction,
      ...(options.maskedOutput && { maskedOutput: options.maskedOutput }),
      ...(options.clip !== undefined && { clip: options.clip }),
    },
  )
}

export interface DenseOptions {
  readonly name?: string
  /** [features, units], or [units, features] with `transposed`. */
  readonly kernel: TensorLike
  /** [units] */
  readonly bias?: TensorLike
  readonly activation?: string
  readonly transposed?: boolean
}

/** A Dense layer, applied to every timestep of a sequence. */
export function dense(options: DenseOptions): ChainLink {
  const arrays = {
    kernel: toTensor(options.kernel, 'kernel'),
    bias: optional(options.bias, 'bias'),
  }
  const node = denseNode(
    options.name ?? 'dense',
    arrays,
    options.activation === undefined ? undefined : inCode(activation(options.activation)),
    options.transposed === undefined ? undefined : inCode(options.transposed ? 'yes' : 'no'),
  )
  return link(node, node.features, 'y')
}

/**
 * Layers one after the other, input `x` [batch, time, features], output `y`.
 * Layers of the same name are numbered: `gru`, `gru_1`.
 */
export function sequential(
  layers: readonly ChainLink[],
  options: { readonly name?: string; readonly reference?: ReferenceData } = {},
): Model {
  if (layers.length === 0) throw new GruvError('bad-model', 'a model needs at least one layer')
  return createModel({
    name: options.name ?? 'model',
    source: 'TypeScript',
    ...chain(layers),
    reference: options.reference ?? null,
  })
}

function optional(value: TensorLike | undefined, where: string): Tensor | undefined {
  return value === undefined ? undefined : toTensor(value, where)
}

function inCode<T>(value: T): Ground<T> {
  return { value, origin: 'stated', why: 'the code that built the model says so' }
}

function saidInCode(options: GruOptions): GruGrounds {
  return {
    ...(options.gateOrder && { gateOrder: inCode(options.gateOrder) }),
    ...(options.transposed !== undefined && {
      transposed: inCode(options.transposed ? 'yes' : 'no'),
    }),
    ...(options.reset && { reset: inCode(options.reset) }),
    ...(options.update && { update: inCode(options.update) }),
    ...(options.biasPlacement && { bias: inCode(options.biasPlacement) }),
    ...(options.activation && { activation: inCode(activation(options.activation)) }),
    ...(options.recurrentActivation && {
      recurrentActivation: inCode(activation(options.recurrentActivation)),
    }),
  }
}
