/**
 * `gruv/model`: the types of a model, and functions to build one in code.
 *
 *     const model = sequential([
 *       gru({ kernel, recurrentKernel, bias, gateOrder: 'zrn', reset: 'after' }),
 *       dense({ kernel: head, bias: headBias, activation: 'sigmoid' }),
 *     ])
 */

import { GruvError } from '../errors.ts'
import { type TensorLike, toTensor } from '../tensor.ts'
import { activation } from './activation/activations.ts'
import { type ChainLink, chain, link } from './chain.ts'
import { denseNode } from './dense.ts'
import { createModel } from './graph.ts'
import { inCode, optional } from './recurrent/builders.ts'
import type { Model, ReferenceData } from './types.ts'

export { type Activation, activation, showActivation } from './activation/activations.ts'
export { activationTable } from './activation/table.ts'
export {
  type Convention,
  type ConventionKey,
  type ConventionOptions,
  conventionTable,
  type GateOrder,
  type LstmGateOrder,
  meaningOf,
  type Origin,
  type PeepholeOrder,
  parseGateOrder,
  parseLstmGateOrder,
} from './conventions/conventions.ts'
export { type EquationLine, type Equations, equations } from './equations.ts'
export { isRecurrent, statesOf } from './layers.ts'
export {
  type BidirectionalOptions,
  bidirectional,
  type GruOptions,
  gru,
  type LstmOptions,
  lstm,
  type SimpleRnnOptions,
  simpleRnn,
} from './recurrent/builders.ts'
export { joinGates, splitGates } from './recurrent/gates.ts'
export { type KerasMasking, kerasMaskedOutput, kerasMasking } from './recurrent/masking.ts'
export { type LayerSummary, type ModelSummary, summarize } from './summary.ts'
export type {
  DenseNode,
  Dim,
  GruNode,
  GruWeights,
  LayerKind,
  LayerNode,
  LstmNode,
  LstmPeephole,
  MaskedOutput,
  Model,
  OutputPort,
  PerGate,
  PerLstmGate,
  Port,
  RecurrentNode,
  ReferenceData,
  RnnNode,
} from './types.ts'
export { weightsOf } from './weights.ts'

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
