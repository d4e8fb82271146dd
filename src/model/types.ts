/**
 * What a network is, once no framework's vocabulary is left in it: a graph of named values.
 *
 * A Model is plain data and frozen. Numbers in it are the source's own, only taken apart by gate;
 * whatever had to be decided to take them apart stands in `conventions`, with where it comes from.
 */

import type { Named, Tensor } from '../tensor.ts'
import type { Activation, ElementwiseActivation } from './activations.ts'
import type { Convention } from './conventions.ts'
import type { MaskedOutput } from './masking.ts'

/** An extent that is known only when a program runs. */
export type Dim = number | 'batch' | 'time'

/** A door of the graph, or of a program. `['batch', 'time', 6]` is a sequence of six features. */
export interface Port {
  readonly name: string
  readonly shape: readonly Dim[]
}

/** An output port and the value behind it. */
export interface OutputPort extends Port {
  readonly value: string
}

/** One array for each gate: update `z`, reset `r`, candidate `n`. */
export interface PerGate<T> {
  readonly z: T
  readonly r: T
  readonly n: T
}

interface NodeBase {
  /** Unique in the graph. State slots and messages carry it. */
  readonly name: string
  /** Which values (graph inputs or outputs of earlier nodes) arrive at which port. */
  readonly inputs: Named<string>
  /** The names under which this node's ports are known as values; a port nobody reads may be missing. */
  readonly outputs: Named<string>
  /** What had to be decided to read this node, and on what grounds. */
  readonly conventions: readonly Convention[]
}

/**
 * A gated recurrent unit layer.
 *
 * Input ports: `x` [batch, time, features]; optionally `initialState` [batch, units].
 * Output ports: `sequence` [batch, time, units], step t beside input step t in either direction;
 * `last` [batch, units], the output of the step that was computed last.
 *
 *     z = σ(Wz·x + Uz·h + biz + brz)
 *     r = σ(Wr·x + Ur·h + bir + brr)
 *     n = φ(Wn·x + bin + r ⊙ (Un·h + brn))      resetAfter, bias separate
 *     n = φ(Wn·x + bin + brn + r ⊙ (Un·h))      resetAfter, bias merged
 *     n = φ(Wn·x + Un·(r ⊙ h) + bin + brn)      reset before
 *     h' = z ⊙ h + (1−z) ⊙ n                    z keeps
 *     h' = (1−z) ⊙ h + z ⊙ n                    z updates
 */
export interface GruNode extends NodeBase {
  readonly kind: 'gru'
  readonly features: number
  readonly units: number
  /** Whether the reset gate multiplies the recurrent product (true) or the state before it (false). */
  readonly resetAfter: boolean
  /** What an update gate of 1 does: keep the old state, or update it to the candidate. */
  readonly update: 'keeps' | 'updates'
  /** Whether the candidate's recurrent bias lies inside the reset (`separate`) or beside the input bias. */
  readonly bias: 'separate' | 'merged' | 'none'
  /** φ, of the candidate. */
  readonly activation: ElementwiseActivation
  /** σ, of the gates. */
  readonly recurrentActivation: ElementwiseActivation
  /** From the first step to the last, or from the last to the first. */
  readonly direction: 'forward' | 'backward'
  /** What stands in the output at masked steps. */
  readonly maskedOutput: MaskedOutput
  /** Pre-activations are limited to ±clip (ONNX); null for no limit. */
  readonly clip: number | null
  readonly weights: GruWeights
}

export interface GruWeights {
  /** W, each [features, units]: input i reaches unit u through `data[i·units + u]`. */
  readonly kernel: PerGate<Tensor>
  /** U, each [units, units]: state i reaches unit u through `data[i·units + u]`. */
  readonly recurrentKernel: PerGate<Tensor>
  /** bi, each [units]; null where the source has none. */
  readonly inputBias: PerGate<Tensor> | null
  /** br, each [units]; null where the source has one bias only, or none. */
  readonly recurrentBias: PerGate<Tensor> | null
}

/**
 * y = φ(x·K + b), for a vector or for every timestep of a sequence.
 * Ports: `x` [batch, (time,) features] → `y` [batch, (time,) units].
 */
export interface DenseNode extends NodeBase {
  readonly kind: 'dense'
  readonly features: number
  readonly units: number
  /** Elementwise, or `softmax` over the units. */
  readonly activation: Activation
  readonly weights: {
    /** [features, units] */
    readonly kernel: Tensor
    /** [units] */
    readonly bias: Tensor | null
  }
}

/**
 * Values of equal shape into one, element by element, or side by side (`concatenate`).
 * Ports: any names in, in order; `y` out.
 */
export interface MergeNode extends NodeBase {
  readonly kind: 'merge'
  readonly mode: 'concatenate' | 'add' | 'multiply' | 'average'
}

/** A sequence with its steps in the opposite order. Ports: `x` [batch, time, features] → `y`. */
export interface ReverseNode extends NodeBase {
  readonly kind: 'reverse'
}

/** Everything a graph can hold. To add a layer, add a member: the compiler lists the tables to fill. */
export type LayerNode = GruNode | DenseNode | MergeNode | ReverseNode

export type LayerKind = LayerNode['kind']

/** Inputs and outputs that came with the model, to prove it on the user's own machine. */
export interface ReferenceData {
  readonly inputs: Named<Tensor>
  readonly outputs: Named<Tensor>
}

export interface Model {
  readonly name: string
  /** The kind of file it was read from, in words: `NumPy archive (.npz)`. */
  readonly source: string
  readonly inputs: readonly Port[]
  readonly outputs: readonly OutputPort[]
  /** In an order in which each node only reads values that exist. */
  readonly nodes: readonly LayerNode[]
  readonly reference: ReferenceData | null
  /** What a user should know before trusting the numbers, a sentence each. */
  readonly warnings: readonly string[]
}

/** A node that does not stand in a graph yet. */
export type Unwired<N extends LayerNode = LayerNode> = N extends LayerNode
  ? Omit<N, 'inputs' | 'outputs'>
  : never
