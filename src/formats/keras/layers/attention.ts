/** Builds Attention, AdditiveAttention and MultiHeadAttention. */

import { showShape } from '../../../tensor.ts'
import type { Result, Value } from '../graph.ts'
import {
  constantIn,
  entry,
  type Given,
  isValue,
  type LayerCall,
  type LayerEntry,
  sizeMismatch,
  unsupported,
  valuesIn,
} from '../layer.ts'
import { isSince } from '../settings.ts'

const dense = (additive: boolean): LayerEntry =>
  entry((call) => {
    const { settings, name, graph, inputs } = call
    const [query, value, key] = inputs
    if (inputs.length < 2 || inputs.length > 3)
      throw unsupported(call, 'other than two or three inputs')
    const concat = settings.get('score_mode') === 'concat'
    const weights = call.weights()
    const [queryMask, valueMask] = masksOf(call, [query.mask, value.mask])
    const causal =
      settings.bool('causal', false) || constantIn(call.kwargs.use_causal_mask) === true
    const { y, scores } = graph.add(
      name,
      {
        kind: 'attention',
        score: additive || concat ? 'additive' : 'dot',
        causal,
        weights: {
          scale: weights.scale ?? null,
          concatWeight: weights.concat_score_weight ?? null,
        },
      },
      { query, value, key, queryMask, valueMask },
    )
    return withScores(call, { ...y, mask: queryMask }, scores)
  }, true)

/** The masks that the call names, or those of its inputs: Keras 3 writes them into the file. */
function masksOf(call: LayerCall, own: readonly (Value | null)[]): readonly (Value | null)[] {
  const given = call.kwargs.mask
  if (!Array.isArray(given)) return own
  const list: readonly Given[] = given
  return own.map((mask, i) => {
    const each = list[i]
    return isValue(each) ? each : mask
  })
}

function withScores(call: LayerCall, y: Result, scores: Result): readonly Result[] {
  return constantIn(call.kwargs.return_attention_scores) === true
    ? [y, { ...scores, mask: null }]
    : [y]
}

const multiHead = entry((call) => {
  const { settings, name, graph, version, kwargs } = call
  const [query, second, third] = call.inputs
  const value = second ?? valuesIn(kwargs.value)[0]
  const key = third ?? valuesIn(kwargs.key)[0]
  if (value === undefined) throw unsupported(call, 'attention without a value')
  if (
    (settings.get('attention_axes') ?? null) !== null &&
    settings.integers('attention_axes').join() !== '1'
  )
    throw unsupported(call, 'attention over other axes than the steps')
  if (settings.bool('use_gate', false) || (settings.get('sliding_window') ?? null) !== null)
    throw unsupported(call, 'attention with a gate or a sliding window')
  if (constantIn(kwargs.flash_attention) === true)
    graph.warnings.add(`${name}: flash attention is computed as ordinary attention`)
  const arrays = call.weights()
  const queryKernel = arrays['query_dense/kernel']
  for (const part of ['query', 'key', 'value', 'output']) {
    const kernel = arrays[`${part}_dense/kernel`]
    if (kernel.shape.length !== 3)
      throw sizeMismatch(`${name}: ${part} kernel`, 'three axes', showShape(kernel.shape))
  }
  // Masks of the inputs count since Keras 2.10 (`_compute_attention_mask`).
  const counts = isSince(version, [2, 10])
  const masks = { queryMask: query.mask, valueMask: value.mask, keyMask: key?.mask ?? null }
  if (!counts && Object.values(masks).some((mask) => mask !== null))
    graph.warnings.add(`${name} ignores the mask that arrives: Keras before 2.10 did so`)
  const explicit = (port: string, own: Value | null): Value | null =>
    valuesIn(kwargs[port])[0] ?? (counts ? own : null)
  const { y, scores } = graph.add(
    name,
    {
      kind: 'multiHeadAttention',
      heads: queryKernel.shape[1],
      keySize: queryKernel.shape[2],
      valueSize: arrays['value_dense/kernel'].shape[2],
      causal: constantIn(kwargs.use_causal_mask) === true,
      weights: {
        queryKernel,
        keyKernel: arrays['key_dense/kernel'],
        valueKernel: arrays['value_dense/kernel'],
        outputKernel: arrays['output_dense/kernel'],
        queryBias: arrays['query_dense/bias'] ?? null,
        keyBias: arrays['key_dense/bias'] ?? null,
        valueBias: arrays['value_dense/bias'] ?? null,
        outputBias: arrays['output_dense/bias'] ?? null,
      },
    },
    {
      query,
      value,
      key,
      queryMask: explicit('query_mask', masks.queryMask),
      valueMask: explicit('value_mask', masks.valueMask),
      keyMask: explicit('key_mask', masks.keyMask),
      attentionMask: valuesIn(kwargs.attention_mask)[0],
    },
  )
  return withScores(call, { ...y, mask: query.mask }, scores)
}, true)

export const attentionLayers: Readonly<Record<string, LayerEntry>> = {
  Attention: dense(false),
  AdditiveAttention: dense(true),
  MultiHeadAttention: multiHead,
}
