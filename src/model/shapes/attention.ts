/** Shapes of attention. */

import type { Named } from '../../tensor.ts'
import type { AttentionNode, Dim, MultiHeadAttentionNode } from '../types.ts'
import { meets, weightFits } from './checks.ts'
import { misfit, type Shape } from './shape.ts'

/** Rows, queries and keys of an attention, from all ports together. */
function attentionAxes(
  node: AttentionNode | MultiHeadAttentionNode,
  inputs: Named<Shape>,
): { readonly rows: Dim; readonly queries: Dim; readonly keys: Dim } {
  const { query, value, key = value } = inputs
  for (const [port, shape] of Object.entries({ query, value, key })) {
    if (shape.length !== 3) throw misfit(node, port, shape, '[rows, steps, features]')
  }
  const [rows, keys] = meets(node, 'value', value, [query[0], key[1], value[2]])
  meets(node, 'key', key, [rows, keys, key[2]])
  const axes = { rows, queries: query[1], keys }
  const masks = {
    queryMask: [rows, axes.queries],
    valueMask: [rows, keys],
    keyMask: [rows, keys],
    attentionMask: [rows, axes.queries, keys],
  }
  for (const [port, shape] of Object.entries(masks)) {
    const mask = inputs[port]
    // One for all serves as one for each.
    if (mask !== undefined)
      meets(
        node,
        port,
        mask,
        shape.map((extent, axis) => (mask[axis] === 1 ? 1 : extent)),
      )
  }
  return axes
}

export function attended(node: AttentionNode, inputs: Named<Shape>): Named<Shape> {
  const { rows, queries, keys } = attentionAxes(node, inputs)
  const { query, value, key = value } = inputs
  const features = meets(node, 'key', key, [rows, keys, query[2]])[2]
  const { scale, concatWeight } = node.weights
  // Inside a concatenating score the scale is one number.
  const perFeature = node.score === 'additive' && concatWeight === null
  weightFits(
    node,
    'scale',
    scale,
    perFeature ? [typeof features === 'number' ? features : null] : [],
  )
  weightFits(node, 'concatWeight', concatWeight, [])
  return { y: [rows, queries, value[2]], scores: [rows, queries, keys] }
}

export function headsAttended(node: MultiHeadAttentionNode, inputs: Named<Shape>): Named<Shape> {
  const { rows, queries, keys } = attentionAxes(node, inputs)
  const { query, value, key = value } = inputs
  const { heads, keySize, valueSize, weights } = node
  weightFits(node, 'queryKernel', weights.queryKernel, [null, heads, keySize])
  weightFits(node, 'keyKernel', weights.keyKernel, [null, heads, keySize])
  weightFits(node, 'valueKernel', weights.valueKernel, [null, heads, valueSize])
  weightFits(node, 'outputKernel', weights.outputKernel, [heads, valueSize, null])
  const units = weights.outputKernel.shape[2]
  weightFits(node, 'queryBias', weights.queryBias, [heads, keySize])
  weightFits(node, 'keyBias', weights.keyBias, [heads, keySize])
  weightFits(node, 'valueBias', weights.valueBias, [heads, valueSize])
  weightFits(node, 'outputBias', weights.outputBias, [units])
  meets(node, 'query', query, [rows, queries, weights.queryKernel.shape[0]])
  meets(node, 'key', key, [rows, keys, weights.keyKernel.shape[0]])
  meets(node, 'value', value, [rows, keys, weights.valueKernel.shape[0]])
  return { y: [rows, queries, units], scores: [rows, heads, queries, keys] }
}
