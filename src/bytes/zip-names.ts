/** Names in a zip archive, for telling formats apart: little code, for pages that unpack none. */

// APPNOTE 4.3.7, 4.3.12, 4.3.16, 4.3.14.
const LOCAL_HEADER = 0x04034b50
const ENTRY = 0x02014b50
const ENTRY_LENGTH = 46
const END = 0x06054b50
const END_LENGTH = 22
const END64 = 0x06064b50
const END64_LENGTH = 56
const LOCATOR_LENGTH = 20

/** The names of the entries, one after the other, as far as the directory can be read. */
export function* zipNames(bytes: Uint8Array): Generator<string> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.length < END_LENGTH || view.getUint32(0, true) !== LOCAL_HEADER) return
  const decoder = new TextDecoder()
  // The end record may be followed by a comment, which writers of models leave out.
  let at = firstEntry(view, bytes.length - END_LENGTH)
  while (at + ENTRY_LENGTH <= bytes.length && view.getUint32(at, true) === ENTRY) {
    const start = at + ENTRY_LENGTH
    const length = view.getUint16(at + 28, true)
    yield decoder.decode(bytes.subarray(start, start + length))
    at = start + length + view.getUint16(at + 30, true) + view.getUint16(at + 32, true)
  }
}

/** Where the directory begins. Zip64's records stand before the end record. */
function firstEntry(view: DataView, end: number): number {
  if (view.getUint32(end, true) !== END) return 0
  const offset = view.getUint32(end + 16, true)
  if (offset !== 0xffffffff) return offset
  const end64 = end - LOCATOR_LENGTH - END64_LENGTH
  if (end64 < 0 || view.getUint32(end64, true) !== END64) return 0
  return Math.min(Number(view.getBigUint64(end64 + 48, true)), end)
}
