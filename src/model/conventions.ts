/**
 * THE table of conventions: everything on which two descriptions of the same trained GRU can
 * disagree, what each choice means, and the flag that sets it.
 *
 * No choice is silent. A reader records each one as a `Convention` with its origin, and `inspect`
 * prints them. Readers, the command line and the documents all take their words from here.
 */

import { GruvError } from '../errors.ts'
import type { PerGate } from './types.ts'

/** Where a convention comes from, the strongest ground first. */
export type Origin =
  /** The caller said so, by option or flag. */
  | 'chosen'
  /** The file says so in as many words. */
  | 'stated'
  /** It follows from the format, its version, or the shapes and names in the file. */
  | 'implied'
  /** Nothing says so; it is the most common case. */
  | 'assumed'

export interface Convention {
  readonly key: ConventionKey
  readonly value: string
  readonly origin: Origin
  /** The ground, as the end of the sentence "… because": `the biases are [2, 18]`. */
  readonly why: string
}

interface ConventionEntry {
  readonly title: string
  readonly flag: string
  /** Each value it can have, and what that means; empty when the values are names of another table. */
  readonly values: Readonly<Record<string, string>>
}

export const conventionTable = {
  gateOrder: {
    title: 'gate order',
    flag: '--gate-order',
    values: {
      zrn: 'update, reset, candidate: Keras, ONNX, RTNeural',
      rzn: 'reset, update, candidate: PyTorch, cuDNN',
      znr: 'update, candidate, reset',
      rnz: 'reset, candidate, update',
      nzr: 'candidate, update, reset',
      nrz: 'candidate, reset, update',
    },
  },
  transposed: {
    title: 'kernels',
    flag: '--transposed',
    values: {
      no: '[inputs, units], the gates side by side: Keras',
      yes: '[units, inputs], the gates one below the other: PyTorch, ONNX',
    },
  },
  reset: {
    title: 'reset gate',
    flag: '--reset',
    values: {
      after: 'multiplies the recurrent product: r ⊙ (Un·h + brn)',
      before: 'multiplies the state before the product: Un·(r ⊙ h)',
    },
  },
  update: {
    title: 'update gate',
    flag: '--update',
    values: {
      keeps: "keeps the old state: h' = z ⊙ h + (1−z) ⊙ n",
      updates: "takes the candidate: h' = (1−z) ⊙ h + z ⊙ n",
    },
  },
  bias: {
    title: "candidate's recurrent bias",
    flag: '--bias',
    values: {
      separate: 'inside the reset: r ⊙ (Un·h + brn)',
      merged: 'beside the input bias: Wn·x + bin + brn',
      none: 'the layer has no biases',
    },
  },
  activation: { title: 'activation', flag: '--activation', values: {} },
  recurrentActivation: {
    title: 'recurrent activation',
    flag: '--recurrent-activation',
    values: {},
  },
} as const satisfies Record<string, ConventionEntry>

export type ConventionKey = keyof typeof conventionTable

export type GateOrder = keyof (typeof conventionTable)['gateOrder']['values']

/** What a caller may say about a file that does not say it itself. */
export interface ConventionOptions {
  readonly gateOrder?: GateOrder
  readonly transposed?: boolean
  readonly reset?: 'after' | 'before'
  readonly update?: 'keeps' | 'updates'
  readonly bias?: 'separate' | 'merged'
  /** A name of the table of activations. */
  readonly activation?: string
  readonly recurrentActivation?: string
}

/** The letters that frameworks use for each gate in a packed order. */
const letters: Readonly<Record<string, keyof PerGate<unknown>>> = {
  z: 'z',
  u: 'z',
  r: 'r',
  n: 'n',
  h: 'n',
  c: 'n',
  o: 'n',
}

/**
 * `z,r,h`, `ZRN` or `rzc` as one of the six gate orders.
 * @throws GruvError `bad-argument` when it does not name each gate once.
 */
export function parseGateOrder(text: string): GateOrder {
  const order = [...text.toLowerCase().replaceAll(/[\s,-]/g, '')]
    .map((letter) => letters[letter] ?? '?')
    .join('')
  if (Object.hasOwn(conventionTable.gateOrder.values, order)) return order as GateOrder
  throw new GruvError('bad-argument', `'${text}' is not an order of the three gates`, {
    expected: `each of z (update), r (reset) and n (candidate; h and c mean the same) once, as in zrn or rzn`,
  })
}

/** What the value means, from the table; names of activations mean themselves. */
export function meaningOf(key: ConventionKey, value: string): string {
  const values: Readonly<Record<string, string>> = conventionTable[key].values
  return values[value] ?? value
}
