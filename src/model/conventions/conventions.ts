/**
 * The table of conventions: everything on which two descriptions of the same trained layer can
 * disagree, what each choice means, and the flag that sets it.
 *
 * No choice is silent. A reader records each one as a `Convention` with its origin, and `inspect`
 * prints them. Readers, the command line and the documents all take their words from here.
 */

import { GruvError } from '../../errors.ts'
import { choices, type GateOrder, type LstmGateOrder } from './choices.ts'
import { titles } from './titles.ts'

/** Where a convention comes from, the strongest ground first. */
export type Origin =
  /** The caller said so, by option or flag. */
  | 'chosen'
  /** The file states it. */
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
  /** null where no flag sets it. */
  readonly flag: string | null
  /** The meaning of each value; empty where the values are names of another table. */
  readonly values: Readonly<Record<Values, string>>
}

const lstmGates = { i: 'input', f: 'forget', g: 'candidate', o: 'output' } as const

type LstmGate = keyof typeof lstmGates

/** The frameworks that use an order. */
const lstmOrderUsers: Readonly<Partial<Record<LstmGateOrder, string>>> = {
  ifgo: 'Keras, PyTorch, cuDNN',
  iofg: 'ONNX, WebNN',
  igfo: 'TensorFlow 1 (BasicLSTMCell)',
  ifog: 'Core ML',
  figo: 'OpenVINO',
}

function lstmOrderMeanings(): Readonly<Record<LstmGateOrder, string>> {
  const meaning = (order: LstmGateOrder): string => {
    const gates = [...order].map((gate) => lstmGates[gate as LstmGate]).join(', ')
    const users = lstmOrderUsers[order]
    return users === undefined ? gates : `${gates}: ${users}`
  }
  const entries = choices.lstmGateOrder.map((order) => [order, meaning(order)] as const)
  return Object.fromEntries(entries) as Record<LstmGateOrder, string>
}

export const conventionTable = {
  gateOrder: {
    title: titles.gateOrder,
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
    title: titles.transposed,
    flag: '--transposed',
    values: {
      no: '[inputs, units], the gates side by side: Keras',
      yes: '[units, inputs], the gates one below the other: PyTorch, ONNX',
    },
  },
  reset: {
    title: titles.reset,
    flag: '--reset',
    values: {
      after: 'multiplies the recurrent product: r ⊙ (Un·h + brn)',
      before: 'multiplies the state before the product: Un·(r ⊙ h)',
    },
  },
  update: {
    title: titles.update,
    flag: '--update',
    values: {
      keeps: "keeps the old state: h' = z ⊙ h + (1−z) ⊙ n",
      updates: "takes the candidate: h' = (1−z) ⊙ h + z ⊙ n",
    },
  },
  bias: {
    title: titles.bias,
    flag: '--bias',
    values: {
      separate: 'inside the reset: r ⊙ (Un·h + brn)',
      merged: 'beside the input bias: Wn·x + bin + brn',
      none: 'the layer has no biases',
    },
  },
  activation: { title: titles.activation, flag: '--activation', values: {} },
  recurrentActivation: {
    title: titles.recurrentActivation,
    flag: '--recurrent-activation',
    values: {},
  },
  outputActivation: { title: titles.outputActivation, flag: '--output-activation', values: {} },
  lstmGateOrder: { title: titles.lstmGateOrder, flag: '--gate-order', values: lstmOrderMeanings() },
  forgetGate: {
    title: titles.forgetGate,
    flag: null,
    values: {
      own: 'a gate of its own',
      coupled: 'f = 1 − i (input_forget); its weights are not used',
    },
  },
  peepholeOrder: {
    title: titles.peepholeOrder,
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

export type { GateOrder, LstmGateOrder, PeepholeOrder } from './choices.ts'

/** What a caller can state about a file that does not state it itself. */
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
const letters: Readonly<Record<string, 'z' | 'r' | 'n'>> = {
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
const lstmLetters: Readonly<Record<string, LstmGate>> = {
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

/** The meaning of a value, from the table; the name of an activation is its own meaning. */
export function meaningOf(key: ConventionKey, value: string): string {
  const values: Readonly<Record<string, string>> = conventionTable[key].values
  return values[value] ?? value
}
