/**
 * What conventions can be decided, and the names of the choices. What each of them means stands in
 * `conventions.ts`, for people; who reads files needs the names alone.
 */

/** Of the conventions of a GRU and of Dense. */
export const choices = {
  gateOrder: ['zrn', 'rzn', 'znr', 'rnz', 'nzr', 'nrz'],
  transposed: ['no', 'yes'],
  reset: ['after', 'before'],
  update: ['keeps', 'updates'],
  bias: ['separate', 'merged', 'none'],
} as const

export type GateOrder = (typeof choices.gateOrder)[number]

/** The flag that decides a convention: `--gate-order`. */
export function flagOf(key: string): string {
  return `--${words(key).replace('lstm ', '').replaceAll(' ', '-')}`
}

/** A key in words: `recurrent activation`. */
export function words(key: string): string {
  return key.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
}
