/**
 * The names of the choices in each convention. What they mean, in words for people, is in
 * `conventions.ts`; readers of files need the names alone.
 */

/** Conventions whose choices are names of another table, such as activations, are not listed. */
export const choices = {
  gateOrder: ['zrn', 'rzn', 'znr', 'rnz', 'nzr', 'nrz'],
  transposed: ['no', 'yes'],
  reset: ['after', 'before'],
  update: ['keeps', 'updates'],
  bias: ['separate', 'merged', 'none'],
  // All 24, those in use first.
  lstmGateOrder: [
    'ifgo',
    'iofg',
    'igfo',
    'ifog',
    'figo',
    'igof',
    'iogf',
    'fiog',
    'fgio',
    'fgoi',
    'foig',
    'fogi',
    'gifo',
    'giof',
    'gfio',
    'gfoi',
    'goif',
    'gofi',
    'oifg',
    'oigf',
    'ofig',
    'ofgi',
    'ogif',
    'ogfi',
  ],
  forgetGate: ['own', 'coupled'],
  peepholeOrder: ['iof', 'ifo'],
} as const

export type GateOrder = (typeof choices.gateOrder)[number]

/** How a packed array holds the four gates of an LSTM: input, forget, candidate g, output. */
export type LstmGateOrder = (typeof choices.lstmGateOrder)[number]

/** How a packed array holds the peepholes of an LSTM. */
export type PeepholeOrder = (typeof choices.peepholeOrder)[number]

/** The flag that decides a convention: `--gate-order`. */
export function flagOf(key: string): string {
  return `--${words(key).replace('lstm ', '').replaceAll(' ', '-')}`
}

/** A key in words: `recurrent activation`. */
export function words(key: string): string {
  return key.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
}
