/** Keras's rules for the outputs of recurrent layers at masked steps, by version of Keras. */

import type { MaskedOutput } from '../types.ts'

interface MaskingRule {
  /** The first version of Keras it holds for, [major, minor]. */
  readonly since: readonly [number, number]
  /** Where the framework says so. */
  readonly source: string
  readonly layer: (zeroOutputForMask: boolean, unrolled: boolean) => MaskedOutput
  readonly bidirectional: (returnSequences: boolean, unrolled: boolean) => MaskedOutput
  /** Whether the mask goes on behind a layer of sequences: a RNN, Bidirectional, TimeDistributed. */
  readonly passesOn: boolean
}

/** Newest first. TensorFlow 2's own Keras counts as 2.3 and later. */
export const kerasMasking: readonly MaskingRule[] = [
  {
    since: [3, 16],
    source:
      'Keras 3.16 layers/rnn: supports_masking = False of RNN, Bidirectional, TimeDistributed',
    layer: zeroOrRepeat,
    bidirectional: zeroOrRepeat,
    passesOn: false,
  },
  {
    since: [2, 3],
    source:
      'Keras 3 backend/tensorflow/rnn.py, layers/rnn/bidirectional.py; TensorFlow 2 keras/backend.py',
    layer: zeroOrRepeat,
    // The wrapper overrides whatever its layers say (force_zero_output_for_mask).
    bidirectional: zeroOrRepeat,
    passesOn: true,
  },
  {
    since: [1, 0],
    source:
      'Keras 1.2.2 to 2.2.4 backend/tensorflow_backend.py: output = tf.where(mask, output, states[0]); unrolled, the output before it instead',
    layer: (_, unrolled) => (unrolled ? 'repeat' : 'state'),
    bidirectional: (_, unrolled) => (unrolled ? 'repeat' : 'state'),
    passesOn: true,
  },
]

function zeroOrRepeat(zero: boolean): MaskedOutput {
  return zero ? 'zero' : 'repeat'
}

export interface KerasMasking {
  /** As files state it: `2.2.4`, `3.3.3`. */
  readonly version: string
  readonly zeroOutputForMask?: boolean
  /** Whether the layer runs without a loop (`unroll`). */
  readonly unrolled?: boolean
  /** Present when the layer stands in a Bidirectional wrapper. */
  readonly bidirectional?: { readonly returnSequences: boolean }
}

/** What a Keras layer of that version gives out at masked steps. */
export function kerasMaskedOutput({
  version,
  zeroOutputForMask = false,
  unrolled = false,
  bidirectional,
}: KerasMasking): MaskedOutput {
  const rule = ruleOf(version)
  return bidirectional === undefined
    ? rule.layer(zeroOutputForMask, unrolled)
    : rule.bidirectional(bidirectional.returnSequences, unrolled)
}

/** Whether Keras of that version lets a mask go on behind recurrent layers and TimeDistributed. */
export function kerasPassesMask(version: string): boolean {
  return ruleOf(version).passesOn
}

function ruleOf(version: string): MaskingRule {
  const [major, minor = 0] = version.split('.').map(Number)
  return (
    kerasMasking.find(
      ({ since }) => major > since[0] || (major === since[0] && minor >= since[1]),
    ) ?? kerasMasking[kerasMasking.length - 1]
  )
}
