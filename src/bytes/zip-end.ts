/**
 * The end of a zip archive, for zip.js, which stumbles over what PyTorch writes there.
 *
 * PyTorch ends every archive with zip64 records, needed or not. Where the end record does not ask for
 * them, zip.js takes them for data that stood before the archive and looks for the directory that many
 * bytes later. If its first header happens to be as long as they are, which is a matter of the file's
 * name, there is one indeed: the second.
 */

/** APPNOTE 4.3.14 to 4.3.16: signatures, and sizes without comments. */
const END = { signature: 0x06054b50, size: 22 } as const
const ZIP64_LOCATOR = { signature: 0x07064b50, size: 20 } as const
const ZIP64_END = { signature: 0x06064b50, size: 56 } as const

/** The archive in two pieces without zip64 records that nothing asks for; else in one. */
export function withoutIdleZip64(bytes: Uint8Array): readonly Uint8Array[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const end = bytes.length - END.size
  const locator = end - ZIP64_LOCATOR.size
  const records = locator - ZIP64_END.size
  const signed = (at: number, { signature }: { readonly signature: number }): boolean =>
    view.getUint32(at, true) === signature
  if (records < 0 || !signed(end, END)) return [bytes]
  if (!signed(locator, ZIP64_LOCATOR) || !signed(records, ZIP64_END)) return [bytes]
  // Where the directory ends. A number that does not fit is all ones, and asks for the records.
  const [size, offset] = [12, 16].map((field) => view.getUint32(end + field, true))
  return offset + size === records ? [bytes.subarray(0, records), bytes.subarray(end)] : [bytes]
}
