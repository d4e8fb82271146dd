/**
 * THE table of conventions: everything on which two descriptions of the same trained layer can
 * disagree, what each choice means, and the flag that sets it.
 *
 * No choice is silent. A reader records each one as a `Convention` with its origin, and `inspect`
 * prints them. Readers, the command line and the documents all take their words from here.
 */

import { GruvError } from '../errors.ts'
import type { choices, GateOrder } from './choices.ts'
import type { PerGate, PerLstmGate } from './types.ts'

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

interface ConventionEntry<Values extends string = string> {
  readonly title: string
  /** null for what only files say. */
  readonly flag: string | null
  /** Each value it can have, and what that means; empty when the values are names of another table. */
  readonly values: Readonly<Record<Values, string>>
}

/** Each letter of G once, in every order. */
type Orders<G extends string, First extends string = G> = [G] extends [never]
  ? ''
  : First extends G
    ? `${First}${Orders<Exclude<G, First>>}`
    : never

/** How a packed array holds the four gates of an LSTM: input, forget, candidate g, output. */
export type LstmGateOrder = Orders<keyof PerLstmGate<unknown>>

const lstmGates = { i: 'input', f: 'forget', g: 'candidate', o: 'output' } as const

/** Who uses an order; the others are nobody's in particular. */
const lstmOrdersInUse: Readonly<Partial<Record<LstmGateOrder, string>>> = {
  ifgo: 'Keras, PyTorch, cuDNN',
  iofg: 'ONNX, WebNN',
  igfo: 'TensorFlow 1 (BasicLSTMCell)',
  ifog: 'Core ML',
  figo: 'OpenVINO',
}

/** All 24 orders, those in use first. */
function lstmGateOrders(): Readonly<Record<LstmGateOrder, string>> {
  const orders = (rest: string): string[] =>
    rest === '' ? [''] : [...rest].flatMap((g) => orders(rest.replace(g, '')).map((o) => g + o))
  const names = new Set([...Object.keys(lstmOrdersInUse), ...orders('ifgo')]) as Set<LstmGateOrder>
  const meaning = (order: LstmGateOrder): string => {
    const words = [...order].map((gate) => lstmGates[gate as keyof typeof lstmGates]).join(', ')
    const users = lstmOrdersInUse[order]
    return users === undefined ? words : `${words}: ${users}`
  }
  const entries = [...names].map((order) => [order, meaning(order)] as const)
  return Object.fromEntries(entries) as Record<LstmGateOrder, string>
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
  outputActivation: { title: 'output activation', flag: '--output-activation', values: {} },
  lstmGateOrder: { title: 'gate order', flag: '--gate-order', values: lstmGateOrders() },
  forgetGate: {
    title: 'forget gate',
    flag: null,
    values: {
      own: 'a gate of its own',
      coupled: 'f = 1 − i (input_forget); its weights are not used',
    },
  },
  peepholeOrder: {
    title: 'peephole order',
    flag: null,
    values: {
      iof: 'input, output, forget: ONNX',
      ifo: 'input, forget, output: the order of the gates in Keras and PyTorch',
    },
  },
} as const satisfies Record<string, ConventionEntry> & {
  readonly [K in keyof typeof choices]: ConventionEntry<(typeof choices)[K][number]>
}

export type ConventionKey = keyof typeof conventionTable

/** The conventions that a GRU has; other layers have some of them and others of their own. */
export type GruConventionKey = (typeof gruConventionKeys)[number]

export const gruConventionKeys = [
  'gateOrder',
  'transposed',
  'reset',
  'update',
  'bias',
  'activation',
  'recurrentActivation',
] as const satisfies readonly ConventionKey[]

export type { GateOrder } from './choices.ts'

/** How a packed array holds the peepholes of an LSTM. */
export type PeepholeOrder = keyof (typeof conventionTable)['peepholeOrder']['values']

/** What a caller may say about a file that does not say it itself. */
export interface ConventionOptions {
  /** Of the three gates of a GRU. */
  readonly gateOrder?: GateOrder
  /** Of the four gates of an LSTM. */
  readonly lstmGateOrder?: LstmGateOrder
  readonly transposed?: boolean
  readonly reset?: 'after' | 'before'
  readonly update?: 'keeps' | 'updates'
  readonly bias?: 'separate' | 'merged'
  /** A name of the table of activations. */
  readonly activation?: string
  readonly recurrentActivation?: string
  /** Of an LSTM's cell on its way out; default: the activation. */
  readonly outputActivation?: string
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

/** The letters that frameworks use for each gate of an LSTM. */
const lstmLetters: Readonly<Record<string, keyof PerLstmGate<unknown>>> = {
  i: 'i',
  f: 'f',
  g: 'g',
  c: 'g',
  z: 'g',
  j: 'g',
  n: 'g',
  o: 'o',
}

/**
 * `i,f,c,o` or `IOFG` as one of the 24 orders of an LSTM's gates.
 * @throws GruvError `bad-argument` when it does not name each gate once.
 */
export function parseLstmGateOrder(text: string): LstmGateOrder {
  const order = [...text.toLowerCase().replaceAll(/[\s,-]/g, '')]
    .map((letter) => lstmLetters[letter] ?? '?')
    .join('')
  if (Object.hasOwn(conventionTable.lstmGateOrder.values, order)) return order as LstmGateOrder
  throw new GruvError('bad-argument', `'${text}' is not an order of the four gates`, {
    expected: `each of i (input), f (forget), g (candidate; c means the same) and o (output) once, as in ifgo or iofg`,
  })
}

/** What the value means, from the table; names of activations mean themselves. */
export function meaningOf(key: ConventionKey, value: string): string {
  const values: Readonly<Record<string, string>> = conventionTable[key].values
  return values[value] ?? value
}
