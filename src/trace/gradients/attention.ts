/** The chain rule through attention, to be read beside `runtime/tensor/attention.ts`. */

import type { AttentionNode, MultiHeadAttentionNode } from '../../model/types.ts'
import { projected, visible } from '../../runtime/tensor/attention.ts'
import type { Block } from '../../runtime/tensor/strides.ts'
import type { Named, Tensor } from '../../tensor.ts'
import { spread } from './elementwise.ts'
import { forward } from './forward.ts'
import { pullMatmul } from './products.ts'

/** @param bars derivatives with respect to `y` and to `scores`, the weights of the keys. */
export function pullAttention(
  node: AttentionNode,
  inputs: Named<Tensor>,
  bars: Named<Tensor>,
): Named<Tensor> {
  const blocks = asBlocks(inputs)
  const { query, value, key = value, queryMask, ...masks } = blocks
  const { scores: weights } = forward(node, inputs)
  const [rows, queries, keys] = weights.shape
  const seen = visible(node, masks, { rows, queries, keys })
  // Outputs of masked queries are 0.
  const kept = queryMask === undefined ? null : spread(queryMask, [rows, queries])
  const [byQuery, byValue] = [zerosLike(query), zerosLike(value)]
  const byKey = inputs.key === undefined ? byValue : zerosLike(key)
  const [features, width] = [query.shape[2], value.shape[2]]
  const toScores = scoreSlopes(node)
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < queries; i++) {
      const at = (row * queries + i) * keys
      const y = bars.y?.data.subarray((row * queries + i) * width, (row * queries + i + 1) * width)
      const barOf = (j: number): number => {
        let bar = bars.scores?.data[at + j] ?? 0
        if (y === undefined || kept?.[row * queries + i] === 0) return bar
        const from = (row * keys + j) * width
        for (let f = 0; f < width; f++) {
          bar += y[f] * value.data[from + f]
          byValue[from + f] += y[f] * weights.data[at + j]
        }
        return bar
      }
      const back = throughSoftmax(weights.data, at, keys, barOf, seen)
      for (let j = 0; j < keys; j++) {
        if (back[j] === 0) continue
        const [q, k] = [(row * queries + i) * features, (row * keys + j) * features]
        for (let f = 0; f < features; f++) {
          const [toQuery, toKey] = toScores(query.data[q + f], key.data[k + f], f)
          byQuery[q + f] += back[j] * toQuery
          byKey[k + f] += back[j] * toKey
        }
      }
    }
  }
  return {
    query: { shape: query.shape, data: byQuery },
    value: { shape: value.shape, data: byValue },
    ...(inputs.key !== undefined && { key: { shape: key.shape, data: byKey } }),
  }
}

/** How a score depends on feature f of its query and of its key. */
function scoreSlopes({
  score,
  weights: { scale, concatWeight },
}: AttentionNode): (q: number, k: number, f: number) => readonly [number, number] {
  if (score === 'dot' && concatWeight === null) {
    const factor = scale?.data[0] ?? 1
    return (q, k) => [factor * k, factor * q]
  }
  const inside = concatWeight === null ? 1 : (scale?.data[0] ?? 1)
  const weight = concatWeight === null ? 1 : concatWeight.data[0]
  const outside = concatWeight === null ? scale : null
  return (q, k, f) => {
    const slope = weight * (outside?.data[f] ?? 1) * inside * (1 - Math.tanh(inside * (q + k)) ** 2)
    return [slope, slope]
  }
}

/** w ⊙ (w̄ − Σ w·w̄) over the keys; 0 for a masked score. */
function throughSoftmax(
  weights: Tensor['data'],
  at: number,
  keys: number,
  barOf: (j: number) => number,
  seen: Float64Array | null,
  seenAt = at,
): Float64Array {
  const back = Float64Array.from({ length: keys }, (_, j) => barOf(j))
  let mean = 0
  for (let j = 0; j < keys; j++) mean += weights[at + j] * back[j]
  return back.map((bar, j) =>
    seen !== null && seen[seenAt + j] === 0 ? 0 : weights[at + j] * (bar - mean),
  )
}

export function pullMultiHeadAttention(
  node: MultiHeadAttentionNode,
  inputs: Named<Tensor>,
  bars: Named<Tensor>,
): Named<Tensor> {
  const blocks = asBlocks(inputs)
  const { query, value, key = value } = blocks
  const { heads, keySize, valueSize, weights } = node
  const { scores } = forward(node, inputs)
  const [rows, , queries, keys] = scores.shape
  const seen = visible(node, blocks, { rows, queries, keys })
  const q = projected(node.name, query, weights.queryKernel, weights.queryBias)
  const k = projected(node.name, key, weights.keyKernel, weights.keyBias)
  const v = projected(node.name, value, weights.valueKernel, weights.valueBias)
  const scale = 1 / Math.sqrt(keySize)
  const [byQ, byK, byV] = [q, k, v].map(({ length }) => new Float64Array(length))
  const { outputKernel } = weights
  const inner = heads * valueSize
  const gathered = { shape: [rows, queries, inner], data: new Float64Array(rows * queries * inner) }
  const kernel = { shape: [inner, outputKernel.shape[2]], data: outputKernel.data }
  const byContext =
    bars.y === undefined
      ? gathered.data
      : pullMatmul(node, { a: gathered, b: kernel }, bars.y).a.data
  for (let row = 0; row < rows; row++)
    for (let head = 0; head < heads; head++)
      for (let i = 0; i < queries; i++) {
        const at = ((row * heads + head) * queries + i) * keys
        const out = ((row * queries + i) * heads + head) * valueSize
        const barOf = (j: number): number => {
          let bar = bars.scores?.data[at + j] ?? 0
          const from = ((row * keys + j) * heads + head) * valueSize
          for (let f = 0; f < valueSize; f++) {
            bar += byContext[out + f] * v[from + f]
            byV[from + f] += byContext[out + f] * scores.data[at + j]
          }
          return bar
        }
        const seenAt = (row * queries + i) * keys
        const back = throughSoftmax(scores.data, at, keys, barOf, seen, seenAt)
        for (let j = 0; j < keys; j++) {
          const a = ((row * queries + i) * heads + head) * keySize
          const b = ((row * keys + j) * heads + head) * keySize
          for (let f = 0; f < keySize; f++) {
            byQ[a + f] += scale * back[j] * k[b + f]
            byK[b + f] += scale * back[j] * q[a + f]
          }
        }
      }
  const unproject = (x: Block, weight: Tensor, by: Float64Array): Tensor => {
    const [features, ...sizes] = weight.shape
    const units = sizes.reduce((a, b) => a * b, 1)
    const bar = { shape: [x.shape[0], x.shape[1], units], data: by }
    return pullMatmul(node, { a: x, b: { shape: [features, units], data: weight.data } }, bar).a
  }
  const byKey = unproject(key, weights.keyKernel, byK)
  const byValue = unproject(value, weights.valueKernel, byV)
  if (inputs.key === undefined) byKey.data.forEach((each, i) => (byValue.data[i] += each))
  return {
    query: unproject(query, weights.queryKernel, byQ),
    value: byValue,
    ...(inputs.key !== undefined && { key: byKey }),
  }
}

function asBlocks(inputs: Named<Tensor>): Named<Block> {
  return Object.fromEntries(
    Object.entries(inputs).map(([port, { shape, data }]) => [
      port,
      { shape, data: Float64Array.from(data) },
    ]),
  )
}

function zerosLike({ data }: Block): Float64Array {
  return new Float64Array(data.length)
}
