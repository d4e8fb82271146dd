/**
 * Types of the layers on whole tensors of any rank. They see all rows and all steps at once, and so
 * do not stream. Their vocabulary is NumPy's: axes count from 0, and are never negative here.
 * Unless said otherwise: ports `x` → `y`.
 */

import type { Tensor } from '../../tensor.ts'
import type { Activation } from '../activation/activations.ts'
import type { Dim, NodeBase } from './base.ts'

/** A sequence with its steps in the opposite order: `x` [rows, steps, ...]. */
export interface ReverseNode extends NodeBase {
  readonly kind: 'reverse'
}

/** The same numbers in the same order under another shape. Symbols must be known from the inputs. */
export interface ReshapeNode extends NodeBase {
  readonly kind: 'reshape'
  /** At most one −1, for the extent that is left. */
  readonly shape: readonly Dim[]
}

/** Axis i of y is axis `axes[i]` of x. */
export interface TransposeNode extends NodeBase {
  readonly kind: 'transpose'
  readonly axes: readonly number[]
}

/** x broadcast to a shape, as NumPy's `broadcast_to`. */
export interface ExpandNode extends NodeBase {
  readonly kind: 'expand'
  readonly shape: readonly Dim[]
}

/** A part of an axis, as Python's `start:end:step`: negative positions count from the end, null is open. */
export interface Slice {
  readonly start: number | null
  readonly end: number | null
  readonly step: number
}

export interface SliceNode extends NodeBase {
  readonly kind: 'slice'
  readonly slices: readonly (Slice & { readonly axis: number })[]
}

/** Inputs side by side along an axis. Ports: any names in, in order; `y` out. */
export interface ConcatNode extends NodeBase {
  readonly kind: 'concat'
  readonly axis: number
}

export interface PadNode extends NodeBase {
  readonly kind: 'pad'
  readonly mode: 'constant' | 'reflect' | 'edge'
  readonly value: number
  /** For each axis; negative ones cut. */
  readonly pads: readonly { readonly before: number; readonly after: number }[]
}

/** Rows of `x` along an axis, by whole numbers; negative ones count from the end. Ports: `x`, `indices`. */
export interface GatherNode extends NodeBase {
  readonly kind: 'gather'
  readonly axis: number
}

/** A tensor that is part of the model. Ports: none in, `y` out. */
export interface ConstantNode extends NodeBase {
  readonly kind: 'constant'
  readonly weights: { readonly value: Tensor }
}

/** 0, 1, 2 …, `count` of them. Ports: none in, `y` [count] out. */
export interface RangeNode extends NodeBase {
  readonly kind: 'range'
  readonly count: Dim
}

/** Element by element with NumPy's broadcasting; comparisons give 1 and 0. Ports: `a`, `b` → `y`. */
export interface BinaryNode extends NodeBase {
  readonly kind: 'binary'
  readonly op:
    | 'add'
    | 'subtract'
    | 'multiply'
    | 'divide'
    | 'power'
    | 'maximum'
    | 'minimum'
    | 'modulo'
    | 'greater'
    | 'greaterOrEqual'
    | 'less'
    | 'lessOrEqual'
    | 'equal'
    | 'and'
    | 'or'
    | 'xor'
}

/** Element by element. */
export interface UnaryNode extends NodeBase {
  readonly kind: 'unary'
  readonly op:
    | 'abs'
    | 'negative'
    | 'reciprocal'
    | 'sqrt'
    | 'exp'
    | 'log'
    | 'sin'
    | 'cos'
    | 'erf'
    | 'floor'
    | 'ceil'
    | 'round'
    | 'sign'
    | 'not'
}

/** `condition` ≠ 0 ? `a` : `b`, with NumPy's broadcasting. */
export interface WhereNode extends NodeBase {
  readonly kind: 'where'
}

/** Over the axes together. */
export interface ReduceNode extends NodeBase {
  readonly kind: 'reduce'
  readonly op: 'sum' | 'mean' | 'max' | 'min' | 'product' | 'l1' | 'l2' | 'sumSquare' | 'logSumExp'
  readonly axes: readonly number[]
  /** Whether reduced axes stay, with extent 1. */
  readonly keepAxes: boolean
}

/** Matrix product of the last two axes, the others broadcast, as NumPy's `matmul`. Ports: `a`, `b` → `y`. */
export interface MatmulNode extends NodeBase {
  readonly kind: 'matmul'
}

/** Softmax along any axis. */
export interface SoftmaxNode extends NodeBase {
  readonly kind: 'softmax'
  readonly axis: number
  readonly log: boolean
}

/** Numbers before and after each spatial axis; `same`: as TensorFlow divides them. */
export type Padding = readonly { readonly before: number; readonly after: number }[] | 'same'

/** What a convolution and its transpose have in common. */
interface Convolution extends NodeBase {
  readonly strides: readonly number[]
  readonly dilations: readonly number[]
  readonly padding: Padding
  readonly groups: number
  readonly activation: Activation
  readonly weights: {
    readonly kernel: Tensor
    /** [units] */
    readonly bias: Tensor | null
  }
}

/**
 * Convolution over any number of spatial axes, channels last:
 * `x` [rows, ...spatial, features] → `y` [rows, ...spatial', units].
 * Its kernel is [...sizes, features / groups, units].
 */
export interface ConvNode extends Convolution {
  readonly kind: 'conv'
}

/**
 * The transpose (gradient) of a convolution: `x` [rows, ...spatial, features] → `y` [rows, ...spatial', units].
 * Its kernel is [...sizes, units / groups, features].
 */
export interface ConvTransposeNode extends Convolution {
  readonly kind: 'convTranspose'
  /** Added to the end of each spatial axis of y. */
  readonly outputPadding: readonly number[]
}

/** Over windows of the spatial axes, channels last: `x` [rows, ...spatial, features]. */
export interface PoolNode extends NodeBase {
  readonly kind: 'pool'
  readonly op: 'max' | 'average'
  readonly sizes: readonly number[]
  readonly strides: readonly number[]
  readonly padding: Padding
  /** Whether zeros outside count into an average. */
  readonly countsPadding: boolean
}

/**
 * Attention (Luong: scores query·key; Bahdanau: scores Σ tanh(query + key)).
 * Ports: `query` [rows, queries, features], `value` [rows, keys, width], optionally `key`
 * (default: value), `queryMask` [rows, queries], `valueMask` [rows, keys] → `y`
 * [rows, queries, width]; `scores` [rows, queries, keys].
 */
export interface AttentionNode extends NodeBase {
  readonly kind: 'attention'
  readonly score: 'dot' | 'additive'
  /** Query i sees keys 0 … i only. */
  readonly causal: boolean
  readonly weights: {
    /** [] for `dot`, [features] for `additive`; null for 1. */
    readonly scale: Tensor | null
    /** Keras's score_mode `concat`: weight · Σ tanh(scale·(query + key)); null elsewhere. */
    readonly concatWeight: Tensor | null
  }
}

/**
 * y = concat over heads of softmax(q·kᵀ/√keySize)·v, times the output kernel.
 * Ports: `query`, `value`, optionally `key`, `queryMask`, `valueMask`, `keyMask`, `attentionMask`
 * [rows, queries, keys] → `y` [rows, queries, units]; `scores` [rows, heads, queries, keys].
 */
export interface MultiHeadAttentionNode extends NodeBase {
  readonly kind: 'multiHeadAttention'
  readonly heads: number
  readonly keySize: number
  readonly valueSize: number
  readonly causal: boolean
  readonly weights: {
    /** [features, heads, keySize] */
    readonly queryKernel: Tensor
    readonly keyKernel: Tensor
    /** [width, heads, valueSize] */
    readonly valueKernel: Tensor
    /** [heads, valueSize, units] */
    readonly outputKernel: Tensor
    /** [heads, keySize], [heads, keySize], [heads, valueSize], [units]; null for none. */
    readonly queryBias: Tensor | null
    readonly keyBias: Tensor | null
    readonly valueBias: Tensor | null
    readonly outputBias: Tensor | null
  }
}

/** All layers on whole tensors. */
export type TensorNode =
  | ReverseNode
  | ReshapeNode
  | TransposeNode
  | ExpandNode
  | SliceNode
  | ConcatNode
  | PadNode
  | GatherNode
  | ConstantNode
  | RangeNode
  | BinaryNode
  | UnaryNode
  | WhereNode
  | ReduceNode
  | MatmulNode
  | SoftmaxNode
  | ConvNode
  | ConvTransposeNode
  | PoolNode
  | AttentionNode
  | MultiHeadAttentionNode
