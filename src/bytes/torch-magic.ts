/** Whether bytes look like a PyTorch file: little code, for pages that never see one. */

import { zipNames } from './zip-names.ts'

/** A byte 0x80 and a protocol that can be: what all pickles but the very oldest begin with. */
export function isPickle(bytes: Uint8Array): boolean {
  return bytes[0] === 0x80 && bytes[1] >= 2 && bytes[1] <= 5
}

/** What the pickle of an archive is called. */
export const PICKLE = 'data.pkl'

/** Whether the archive lists an entry `data.pkl`; its directory is read as far as that takes. */
export function isTorchZip(bytes: Uint8Array): boolean {
  for (const name of zipNames(bytes)) if (name.split('/').at(-1) === PICKLE) return true
  return false
}
