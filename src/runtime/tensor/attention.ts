/** Attention, as Keras computes it (`keras/src/layers/attention`). */

import type { AttentionNode, MultiHeadAttentionNode } from '../../model/types.ts'
import type { Named, Tensor } from '../../tensor.ts'
import { tanh64 } from '../js/math64.ts'
import { addProduct } from './matmul.ts'
import { softmaxAt } from './reduce.ts'
import { type Block, broadcastStrides, readStrided, zeros } from './strides.ts'

interface Sizes {
  readonly rows: number
  readonly queries: number
  readonly keys: number
}

/** What a score that must not count loses. */
const MASKED = 1e9

export function attention(
  node: AttentionNode,
  inputs: Named<Block>,
  shapes: Named<readonly number[]>,
): Named<Float64Array> {
  const { query, value, key = value, queryMask } = inputs
  const [rows, queries, keys] = shapes.scores
  const sizes = { rows, queries, keys }
  const scores = zeros(node.name, shapes.scores)
  if (node.score === 'dot' && node.weights.concatWeight === null) {
    dotScores(query, key, node.weights.scale?.data[0] ?? 1, sizes, scores)
  } else additiveScores(node, query, key, sizes, scores)
  // Masked queries see what others see; their outputs are wiped out afterwards.
  const { queryMask: _, ...masks } = inputs
  weigh(scores, visible(node, masks, sizes), sizes, 1)

  const y = zeros(node.name, shapes.y)
  const width = shapes.y[2]
  for (let row = 0; row < rows; row++) {
    const at = row * queries
    addProduct(
      scores,
      at * keys,
      value.data,
      row * keys * width,
      queries,
      keys,
      width,
      y,
      at * width,
    )
  }
  if (queryMask !== undefined) {
    const kept = spread(queryMask, [rows, queries])
    kept.forEach((keep, i) => {
      if (keep === 0) y.fill(0, i * width, (i + 1) * width)
    })
  }
  return { y, scores }
}

/** scale · query·key */
function dotScores(
  query: Block,
  key: Block,
  scale: number,
  { rows, queries, keys }: Sizes,
  scores: Float64Array,
): void {
  const features = query.shape[2]
  for (let row = 0; row < rows; row++)
    for (let i = 0; i < queries; i++)
      for (let j = 0; j < keys; j++) {
        const q = (row * queries + i) * features
        const k = (row * keys + j) * features
        let sum = 0
        for (let f = 0; f < features; f++) sum += query.data[q + f] * key.data[k + f]
        scores[(row * queries + i) * keys + j] = scale * sum
      }
}

/** Σ scale ⊙ tanh(query + key); with a weight for the whole, weight · Σ tanh(scale·(query + key)). */
function additiveScores(
  node: AttentionNode,
  query: Block,
  key: Block,
  { rows, queries, keys }: Sizes,
  scores: Float64Array,
): void {
  const features = query.shape[2]
  const { scale, concatWeight } = node.weights
  const inside = concatWeight === null ? 1 : (scale?.data[0] ?? 1)
  const weight = concatWeight === null ? 1 : concatWeight.data[0]
  const outside = new Float64Array(features).fill(1)
  if (concatWeight === null && scale !== null) outside.set(scale.data)
  for (let row = 0; row < rows; row++)
    for (let i = 0; i < queries; i++)
      for (let j = 0; j < keys; j++) {
        const q = (row * queries + i) * features
        const k = (row * keys + j) * features
        let sum = 0
        for (let f = 0; f < features; f++)
          sum += outside[f] * tanh64(inside * (query.data[q + f] + key.data[k + f]))
        scores[(row * queries + i) * keys + j] = weight * sum
      }
}

export function multiHeadAttention(
  node: MultiHeadAttentionNode,
  inputs: Named<Block>,
  shapes: Named<readonly number[]>,
): Named<Float64Array> {
  const { query, value, key = value } = inputs
  const { heads, keySize, valueSize, weights } = node
  const [rows, , queries, keys] = shapes.scores
  const sizes = { rows, queries, keys }
  // Each [rows, steps, heads, size].
  const q = projected(node.name, query, weights.queryKernel, weights.queryBias)
  const k = projected(node.name, key, weights.keyKernel, weights.keyBias)
  const v = projected(node.name, value, weights.valueKernel, weights.valueBias)
  const scale = 1 / Math.sqrt(keySize)
  for (let i = 0; i < q.length; i++) q[i] *= scale

  const scores = zeros(node.name, shapes.scores)
  for (let row = 0; row < rows; row++)
    for (let head = 0; head < heads; head++)
      for (let i = 0; i < queries; i++)
        for (let j = 0; j < keys; j++) {
          const a = ((row * queries + i) * heads + head) * keySize
          const b = ((row * keys + j) * heads + head) * keySize
          let sum = 0
          for (let f = 0; f < keySize; f++) sum += q[a + f] * k[b + f]
          scores[((row * heads + head) * queries + i) * keys + j] = sum
        }
  weigh(scores, visible(node, inputs, sizes), sizes, heads)

  // [rows, queries, heads, valueSize]
  const context = zeros(node.name, [rows, queries, heads, valueSize])
  for (let row = 0; row < rows; row++)
    for (let head = 0; head < heads; head++)
      for (let i = 0; i < queries; i++) {
        const out = ((row * queries + i) * heads + head) * valueSize
        for (let j = 0; j < keys; j++) {
          const weight = scores[((row * heads + head) * queries + i) * keys + j]
          const from = ((row * keys + j) * heads + head) * valueSize
          for (let f = 0; f < valueSize; f++) context[out + f] += weight * v[from + f]
        }
      }
  const gathered = { shape: [rows, queries, heads * valueSize], data: context }
  const { outputKernel, outputBias } = weights
  const kernel = { shape: [heads * valueSize, outputKernel.shape[2]], data: outputKernel.data }
  return { y: projected(node.name, gathered, kernel, outputBias), scores }
}

/** x·K + b over the last axis of x; whatever axes K has after its first one are the units. */
export function projected(
  where: string,
  x: Block,
  kernel: Tensor,
  bias: Tensor | null,
): Float64Array {
  const [rows, steps, features] = x.shape
  const units = kernel.shape.slice(1).reduce((a, b) => a * b, 1)
  const y = zeros(where, [rows, steps, units])
  if (bias !== null) for (let at = 0; at < y.length; at += units) y.set(bias.data, at)
  const numbers = Float64Array.from(kernel.data)
  addProduct(x.data, 0, numbers, 0, rows * steps, features, units, y, 0)
  return y
}

/** Where a query may look, all masks together: [rows, queries, keys] of 1 and 0; null for everywhere. */
export function visible(
  node: AttentionNode | MultiHeadAttentionNode,
  inputs: Named<Block>,
  { rows, queries, keys }: Sizes,
): Float64Array | null {
  const shape = [rows, queries, keys]
  const masks: Float64Array[] = []
  const add = (mask: Block | undefined, axes: (shape: readonly number[]) => readonly number[]) => {
    if (mask !== undefined) masks.push(spread({ ...mask, shape: axes(mask.shape) }, shape))
  }
  add(inputs.queryMask, ([rows, queries]) => [rows, queries, 1])
  add(inputs.valueMask, ([rows, keys]) => [rows, 1, keys])
  add(inputs.keyMask, ([rows, keys]) => [rows, 1, keys])
  add(inputs.attentionMask, (shape) => shape)
  if (masks.length === 0 && !node.causal) return null
  const seen = zeros(node.name, shape)
  for (let i = 0; i < seen.length; i++) {
    const inTime = !node.causal || i % keys <= Math.floor(i / keys) % queries
    seen[i] = inTime && masks.every((mask) => mask[i] !== 0) ? 1 : 0
  }
  return seen
}

function spread({ shape, data }: Block, wide: readonly number[]): Float64Array {
  const out = new Float64Array(wide.reduce((a, b) => a * b, 1))
  return readStrided(data, 0, wide, broadcastStrides(shape, wide), out)
}

/**
 * Scores into weights: softmax over the keys, after masked scores have lost 10⁹.
 *
 * The difference is rounded to float32, in which frameworks compute. That only shows where a query
 * sees no key at all: float32 keeps nothing of such scores, and all keys weigh the same.
 */
function weigh(
  scores: Float64Array,
  seen: Float64Array | null,
  { queries, keys }: Sizes,
  heads: number,
): void {
  const matrix = queries * keys
  for (let at = 0; seen !== null && at < scores.length; at++) {
    const row = Math.floor(at / (heads * matrix))
    if (seen[row * matrix + (at % matrix)] === 0) scores[at] = Math.fround(scores[at] - MASKED)
  }
  for (let at = 0; at < scores.length; at += keys) softmaxAt(scores, at, keys, 1, false)
}
