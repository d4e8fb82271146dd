/**
 * Types of the layers on one vector at a time, or on a window of past vectors. Where values run
 * over time they run step by step, in predict and in streams. In shapes, `...` stands for the axes
 * before the vector: rows, or rows and steps.
 */

import type { Tensor } from '../../tensor.ts'
import type { Activation } from '../activation/activations.ts'
import type { NodeBase } from './base.ts'

/** y = φ(x·K + b). Ports: `x` [..., features] → `y` [..., units]. */
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

/** y = φ(x), element by element, or softmax over the last axis. Ports: `x` → `y`. */
export interface ActivationNode extends NodeBase {
  readonly kind: 'activation'
  readonly activation: Activation
}

/** y = x where x ≥ 0, else alpha ⊙ x. Ports: `x` [..., features] → `y`. */
export interface PreluNode extends NodeBase {
  readonly kind: 'prelu'
  readonly weights: {
    /** [features], or [1] for all */
    readonly alpha: Tensor
  }
}

/** y = x ⊙ scale + shift. Ports: `x` [..., features] → `y`. */
export interface AffineNode extends NodeBase {
  readonly kind: 'affine'
  readonly weights: {
    /** [features], or [1] for all */
    readonly scale: Tensor | null
    readonly shift: Tensor | null
  }
}

/**
 * Row number x of a table. Ports: `x` [...] of whole numbers → `y` [..., units];
 * `mask` [...], 0 where x is 0, for sequences padded with zeros.
 * A number outside the table is an error when the program runs.
 */
export interface EmbeddingNode extends NodeBase {
  readonly kind: 'embedding'
  readonly units: number
  readonly weights: {
    /** [count, units] */
    readonly table: Tensor
  }
}

/**
 * Marks the steps in which every feature equals `value`. Ports: `x` [rows, steps, features] →
 * `mask` [rows, steps], 0 at those steps; `y`, x with zeros there.
 */
export interface MaskingNode extends NodeBase {
  readonly kind: 'masking'
  readonly value: number
}

/** y = gamma ⊙ (x − mean) / √(variance + epsilon) + beta. Ports: `x` [..., features] → `y`. */
export interface BatchNormNode extends NodeBase {
  readonly kind: 'batchNorm'
  readonly epsilon: number
  /** Each [features]. */
  readonly weights: {
    readonly gamma: Tensor | null
    readonly beta: Tensor | null
    readonly mean: Tensor
    readonly variance: Tensor
  }
}

/**
 * y = gamma ⊙ (x − mean) / √(variance + epsilon) + beta, with the mean and variance of the last
 * `axes` axes together. Ports: `x` → `y`.
 */
export interface LayerNormNode extends NodeBase {
  readonly kind: 'layerNorm'
  readonly epsilon: number
  /** How many of the last axes are normalised together. */
  readonly axes: number
  /** Each with as many numbers as those axes hold. */
  readonly weights: {
    readonly gamma: Tensor | null
    readonly beta: Tensor | null
  }
}

/**
 * y_t = φ(b + Σ_k x_{t·stride + k·dilation − before} · K_k), zeros outside the sequence.
 * Ports: `x` [rows, steps, features] → `y` [rows, steps', units].
 * With stride 1, `before` = (size − 1)·dilation and `after` = 0 it is causal and streams.
 */
export interface Conv1dNode extends NodeBase {
  readonly kind: 'conv1d'
  readonly features: number
  readonly units: number
  readonly size: number
  readonly stride: number
  readonly dilation: number
  readonly groups: number
  /** Zeros before and after the sequence; `same`: as Keras and TensorFlow divide them. */
  readonly padding: { readonly before: number; readonly after: number } | 'same'
  readonly activation: Activation
  readonly weights: {
    /** [size, features / groups, units] */
    readonly kernel: Tensor
    /** [units] */
    readonly bias: Tensor | null
  }
}

/**
 * Several values merged into one: side by side along the last axis (`concatenate`), or element by
 * element, all of one shape. `subtract` and `divide` take two. Ports: any names in, in order; `y` out.
 */
export interface MergeNode extends NodeBase {
  readonly kind: 'merge'
  readonly mode:
    | 'concatenate'
    | 'add'
    | 'subtract'
    | 'multiply'
    | 'divide'
    | 'average'
    | 'maximum'
    | 'minimum'
}

/** All layers on vectors: they can run inside a loop over time. */
export type VectorNode =
  | DenseNode
  | ActivationNode
  | PreluNode
  | AffineNode
  | EmbeddingNode
  | MaskingNode
  | BatchNormNode
  | LayerNormNode
  | Conv1dNode
  | MergeNode
