/**
 * What a recurrent layer gives out at a step that is masked. The state always stays as it is; the
 * output is another matter, and Keras changed its mind about it.
 */

export type MaskedOutput =
  /** The output before it; zeros before the first step that counts. */
  | 'repeat'
  /** Zeros. */
  | 'zero'
  /** The state; before the first step that counts, the initial state. */
  | 'state'

interface MaskingRule {
  /** The first version of Keras it holds for, [major, minor]. */
  readonly since: readonly [number, number]
  /** Where the framework says so. */
  readonly source: string
  readonly layer: (zeroOutputForMask: boolean) => MaskedOutput
  readonly bidirectional: (returnSequences: boolean) => MaskedOutput
}

/** Newest first. TensorFlow 2's own Keras counts as 2.3 and later. */
export const kerasMasking: readonly MaskingRule[] = [
  {
    since: [2, 3],
    source:
      'Keras 3 backend/tensorflow/rnn.py, layers/rnn/bidirectional.py; TensorFlow 2 keras/backend.py',
    layer: (zeroOutputForMask) => (zeroOutputForMask ? 'zero' : 'repeat'),
    // The wrapper overrides whatever its layers say (force_zero_output_for_mask).
    bidirectional: (returnSequences) => (returnSequences ? 'zero' : 'repeat'),
  },
  {
    since: [1, 0],
    source:
      'Keras 1.2.2 to 2.2.4 backend/tensorflow_backend.py: output = tf.where(mask, output, states[0])',
    layer: () => 'state',
    bidirectional: () => 'state',
  },
]

export interface KerasMasking {
  /** As files state it: `2.2.4`, `3.3.3`. */
  readonly version: string
  readonly zeroOutputForMask?: boolean
  /** Present when the layer stands in a Bidirectional wrapper. */
  readonly bidirectional?: { readonly returnSequences: boolean }
}

/** What a Keras layer of that version gives out at masked steps. */
export function kerasMaskedOutput({
  version,
  zeroOutputForMask = false,
  bidirectional,
}: KerasMasking): MaskedOutput {
  const [major, minor = 0] = version.split('.').map(Number)
  const rule =
    kerasMasking.find(
      ({ since }) => major > since[0] || (major === since[0] && minor >= since[1]),
    ) ?? kerasMasking[kerasMasking.length - 1]
  return bidirectional === undefined
    ? rule.layer(zeroOutputForMask)
    : rule.bidirectional(bidirectional.returnSequences)
}
