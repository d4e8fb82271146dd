/**
 * The names of the choices in each convention. What they mean, in words for people, is in
 * `conventions.ts`; readers of files need the names alone.
 */

/** Each letter of G once, in every order. */
type Orders<G extends string, First extends string = G> = [G] extends [never]
  ? ''
  : First extends G
    ? `${First}${Orders<Exclude<G, First>>}`
    : never

/** How a packed array holds the four gates of an LSTM: input, forget, candidate g, output. */
export type LstmGateOrder = Orders<'i' | 'f' | 'g' | 'o'>

/** Conventions whose choices are names of another table, such as activations, are not listed. */
export const choices = {
  gateOrder: ['zrn', 'rzn', 'znr', 'rnz', 'nzr', 'nrz'],
  transposed: ['no', 'yes'],
  reset: ['after', 'before'],
  update: ['keeps', 'updates'],
  bias: ['separate', 'merged', 'none'],
  lstmGateOrder: lstmGateOrders(),
  forgetGate: ['own', 'coupled'],
  peepholeOrder: ['iof', 'ifo'],
} as const

export type GateOrder = (typeof choices.gateOrder)[number]

/** How a packed array holds the peepholes of an LSTM. */
export type PeepholeOrder = (typeof choices.peepholeOrder)[number]

/** All 24 orders, those in use first. */
function lstmGateOrders(): readonly LstmGateOrder[] {
  const orders = (rest: string): string[] =>
    rest === '' ? [''] : [...rest].flatMap((g) => orders(rest.replace(g, '')).map((o) => g + o))
  const inUse = ['ifgo', 'iofg', 'igfo', 'ifog', 'figo']
  return [...new Set([...inUse, ...orders('ifgo')])] as LstmGateOrder[]
}

/** The flag that decides a convention: `--gate-order`. */
export function flagOf(key: string): string {
  return `--${words(key).replace('lstm ', '').replaceAll(' ', '-')}`
}

/** A key in words: `recurrent activation`. */
export function words(key: string): string {
  return key.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
}
