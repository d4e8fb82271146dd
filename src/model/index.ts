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
import { type ChainLink, chain, createModel } from './graph.ts'
import { type Ground, type GruGrounds, gruNode } from './gru.ts'
import type { Model, ReferenceData } from './types.ts'

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
}

/** A GRU layer; conventions left out are Keras's. */
export function gru(options: GruOptions): ChainLink {
  const arrays = {
    kernel: toTensor(options.kernel, 'kernel'),
    recurrentKernel: toTensor(options.recurrentKernel, 'recurrentKernel'),
    bias: optional(options.bias, 'bias'),
    recurrentBias: optional(options.recurrentBias, 'recurrentBias'),
  }
  return {
    layer: gruNode(options.name ?? 'gru', arrays, saidInCode(options)),
    port: (options.returnSequences ?? true) ? 'sequence' : 'last',
  }
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
  const layer = denseNode(
    options.name ?? 'dense',
    arrays,
    options.activation === undefined ? undefined : inCode(activation(options.activation)),
    options.transposed === undefined ? undefined : inCode(options.transposed ? 'yes' : 'no'),
  )
  return { layer, port: 'y' }
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
  const seen = new Map<string, number>()
  const links = layers.map(({ layer, port }) => {
    const count = seen.get(layer.name) ?? 0
    seen.set(layer.name, count + 1)
    return count === 0
      ? { layer, port }
      : { layer: { ...layer, name: `${layer.name}_${count}` }, port }
  })
  return createModel({
    name: options.name ?? 'model',
    source: 'TypeScript',
    ...chain(layers[0].layer.features, links),
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
