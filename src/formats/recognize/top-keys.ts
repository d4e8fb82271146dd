/**
 * Finds the top-level keys of a JSON object without parsing it, to tell formats apart.
 */

/** Objects that describe a network have a handful. */
const MOST_KEYS = 4096

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COLON = 0x3a

/** In one pass over the bytes; keys as they are written, escapes included. */
export function topKeys(bytes: Uint8Array): ReadonlySet<string> {
  const keys = new Set<string>()
  const decoder = new TextDecoder()
  let depth = 0
  let lastText: readonly [number, number] | null = null
  for (let at = 0; at < bytes.length && keys.size < MOST_KEYS; at++) {
    const byte = bytes[at]
    if (byte === QUOTE) {
      const from = at + 1
      for (at++; at < bytes.length && bytes[at] !== QUOTE; at++) if (bytes[at] === BACKSLASH) at++
      lastText = [from, at]
    } else if (byte === COLON) {
      if (depth === 1 && lastText !== null) keys.add(decoder.decode(bytes.subarray(...lastText)))
    } else if (byte === 0x7b || byte === 0x5b) depth++
    else if (byte === 0x7d || byte === 0x5d) depth--
  }
  return keys
}
