/**
 * Planned layers as plain data, kind by kind: everything a kernel must know but the trained numbers.
 *
 * Value indices point into `Plan.values`; −1 means that no layer reads the value. Offsets are in
 * elements: into the weights, or into a state row.
 */

import type { Activation, ElementwiseActivation } from '../../model/activation/activations.ts'
import type { LayerKind, MaskedOutput, MergeNode } from '../../model/types.ts'

/** Ports of recurrent layers that most graphs leave open. Value indices; absent where the port is open. */
export interface RecurrentPorts {
  readonly initialState?: number
  readonly initialCell?: number
  readonly lengths?: number
  readonly finalCell?: number
  /** The value index, and the offset in the state row of whether a step has counted. */
  readonly mask?: { readonly value: number; readonly seen: number }
}

/** Offsets in the weights. */
interface Panels {
  readonly panels: number
  readonly biases: number
}

interface RecurrentBase extends RecurrentPorts, Panels {
  readonly node: string
  readonly features: number
  readonly units: number
  readonly direction: 'forward' | 'backward'
  readonly maskedOutput: MaskedOutput
  /** Value indices. */
  readonly x: number
  readonly sequence: number
  readonly last: number
  readonly finalState: number
  /** Offsets in the state row: of h, and of an LSTM's c. */
  readonly state: number
  readonly cell?: number
  readonly activation: ElementwiseActivation
  readonly clip: number | null
}

export interface GruKernel extends RecurrentBase {
  readonly kind: 'gru'
  readonly resetAfter: boolean
  readonly update: 'keeps' | 'updates'
  readonly recurrentActivation: ElementwiseActivation
}

export interface LstmKernel extends RecurrentBase {
  readonly kind: 'lstm'
  readonly cell: number
  readonly coupled: boolean
  readonly recurrentActivation: ElementwiseActivation
  readonly outputActivation: ElementwiseActivation
  /** Offset in the weights; −1 for none. */
  readonly peepholes: number
}

export interface RnnKernel extends RecurrentBase {
  readonly kind: 'rnn'
}

/** A planned layer that carries a state from step to step. */
export type RecurrentKernel = GruKernel | LstmKernel | RnnKernel

/** A layer from the vectors of `x` to those of `y`, which are value indices. */
interface OnVectors {
  readonly node: string
  readonly x: number
  readonly y: number
  readonly overTime: boolean
}

export interface DenseKernel extends OnVectors, Panels {
  readonly kind: 'dense'
  readonly features: number
  readonly units: number
  readonly activation: Activation
}

export interface Conv1dKernel extends Omit<DenseKernel, 'kind' | 'overTime'> {
  readonly kind: 'conv1d'
  readonly size: number
  readonly dilation: number
  /** Offset in the state row; −1 for a window of a single step. */
  readonly past: number
}

export interface EmbeddingKernel extends OnVectors {
  readonly kind: 'embedding'
  readonly units: number
  /** Value index. */
  readonly mask: number
}

export interface MergeKernel extends Omit<OnVectors, 'x'> {
  readonly kind: 'merge'
  readonly mode: MergeNode['mode']
  /** Value indices. */
  readonly inputs: readonly number[]
  /** Of each input. */
  readonly widths: readonly number[]
}

/** A layer from vectors to others of equal width. */
export interface VectorMap extends OnVectors {
  readonly width: number
  /** `width`, padded to whole vectors of four. */
  readonly lanes: number
}

export interface ActivationKernel extends VectorMap {
  readonly kind: 'activation'
  readonly activation: Activation
}

export interface PreluKernel extends VectorMap {
  readonly kind: 'prelu'
  /** Offset in the weights. */
  readonly alpha: number
}

export interface AffineKernel extends VectorMap {
  readonly kind: 'affine'
  /** Offset of centre, scale and shift in the weights, one behind the other. */
  readonly weights: number
}

export interface BatchNormKernel extends Omit<AffineKernel, 'kind'> {
  readonly kind: 'batchNorm'
}

export interface LayerNormKernel extends VectorMap {
  readonly kind: 'layerNorm'
  readonly epsilon: number
  /** Offset of gamma and then beta in the weights. */
  readonly weights: number
}

export interface MaskingKernel extends VectorMap {
  readonly kind: 'masking'
  readonly value: number
  /** Value index. */
  readonly mask: number
}

/** A planned layer that works on vectors in frames. To add one, add a member: the compiler lists the tables to fill. */
export type FrameKernel =
  | RecurrentKernel
  | DenseKernel
  | ActivationKernel
  | PreluKernel
  | AffineKernel
  | BatchNormKernel
  | LayerNormKernel
  | EmbeddingKernel
  | MaskingKernel
  | Conv1dKernel
  | MergeKernel

export type FrameKind = FrameKernel['kind']

/** The kernel of a kind. */
export type KernelOf<K extends FrameKind> = Extract<FrameKernel, { kind: K }>

/** A planned layer that works on whole tensors, outside the frames. */
export interface TensorKernel {
  readonly kind: 'whole'
  readonly node: string
  readonly layer: LayerKind
  /** Names of the graph's values. */
  readonly inputs: Readonly<Record<string, string>>
  readonly outputs: Readonly<Record<string, string>>
  /** What else makes the layer what it is, but for its trained numbers. */
  readonly attributes: Readonly<Record<string, unknown>>
}

/** A planned layer. */
export type Kernel = FrameKernel | TensorKernel

const recurrentKinds: Readonly<Record<RecurrentKernel['kind'], true>> = {
  gru: true,
  lstm: true,
  rnn: true,
}

export function isRecurrentKernel(kernel: Kernel): kernel is RecurrentKernel {
  return Object.hasOwn(recurrentKinds, kernel.kind)
}

/** Whether a kernel is the engine's to run. */
export function inFrame(kernel: Kernel): kernel is FrameKernel {
  return kernel.kind !== 'whole'
}

/** Whether the graph itself says which steps of a layer count, which JavaScript reads step by step. */
export function hasStepMask(kernel: Kernel): kernel is RecurrentKernel {
  return isRecurrentKernel(kernel) && (kernel.mask ?? kernel.lengths) !== undefined
}
