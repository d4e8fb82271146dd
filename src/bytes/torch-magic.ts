/** Whether bytes look like a PyTorch file: little code, for pages that never see one. */

/** A byte 0x80 and a protocol that can be: what all pickles but the very oldest begin with. */
export function isPickle(bytes: Uint8Array): boolean {
  return bytes[0] === 0x80 && bytes[1] >= 2 && bytes[1] <= 5
}

/** What the pickle of an archive is called. */
export const PICKLE = 'data.pkl'

/** Whether the archive lists an entry `data.pkl`; its directory is read as far as that takes. */
export function isTorchZip(bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.length < END_LENGTH || view.getUint32(0, true) !== LOCAL_HEADER) return false
  // The end record may be followed by a comment, which PyTorch does not write.
  let at = firstEntry(view, bytes.length - END_LENGTH)
  while (at + ENTRY_LENGTH <= bytes.length && view.getUint32(at, true) === ENTRY) {
    const name = bytes.subarray(
      at + ENTRY_LENGTH,
      at + ENTRY_LENGTH + view.getUint16(at + 28, true),
    )
    if (endsWithPickle(name)) return true
    at += ENTRY_LENGTH + name.length + view.getUint16(at + 30, true) + view.getUint16(at + 32, true)
  }
  return false
}

// APPNOTE 4.3.7, 4.3.12, 4.3.16, 4.3.14.
const LOCAL_HEADER = 0x04034b50
const ENTRY = 0x02014b50
const ENTRY_LENGTH = 46
const END = 0x06054b50
const END_LENGTH = 22
const END64 = 0x06064b50
const END64_LENGTH = 56
const LOCATOR_LENGTH = 20

/** Where the directory begins. PyTorch always writes the records of zip64 before the end record. */
function firstEntry(view: DataView, end: number): number {
  if (view.getUint32(end, true) !== END) return 0
  const offset = view.getUint32(end + 16, true)
  if (offset !== 0xffffffff) return offset
  const end64 = end - LOCATOR_LENGTH - END64_LENGTH
  if (end64 < 0 || view.getUint32(end64, true) !== END64) return 0
  return Math.min(Number(view.getBigUint64(end64 + 48, true)), end)
}

function endsWithPickle(name: Uint8Array): boolean {
  return new TextDecoder().decode(name).split('/').at(-1) === PICKLE
}
