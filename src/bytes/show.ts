/** Prints content of files in messages: quoted, and never long. */

import { showShape } from '../tensor.ts'

/** Enough to recognise a piece of a file, too little to flood a terminal. */
const MOST_CHARACTERS = 40

/** `"like this"`, control characters escaped, cut after 40 characters. */
export function quote(text: string): string {
  const cut = text.length > MOST_CHARACTERS
  return JSON.stringify(cut ? text.slice(0, MOST_CHARACTERS) : text) + (cut ? '…' : '')
}

/** The first names of a list, and how many more there are. */
export function showNames(names: readonly string[], most = 12): string {
  const shown = names.slice(0, most).map(quote).join(', ')
  return names.length > most ? `${shown} and ${names.length - most} more` : shown || 'nothing'
}

/** A shape as messages print it, cut after `most` axes. */
export function showExtents(shape: readonly number[], most = 8): string {
  return shape.length > most
    ? `${showShape(shape.slice(0, most)).slice(0, -1)}, …]`
    : showShape(shape)
}
