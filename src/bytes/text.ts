/** Decodes bytes as text, and splits text into lines. */

import { GruvError } from '../errors.ts'
import { hasBytes } from './byte-arrays.ts'

/** Text that is not UTF-8 mostly begins with a mark; Windows PowerShell's `>` writes UTF-16. */
const byteOrderMarks = [
  { encoding: 'utf-8', mark: [0xef, 0xbb, 0xbf] },
  { encoding: 'utf-16le', mark: [0xff, 0xfe] },
  { encoding: 'utf-16be', mark: [0xfe, 0xff] },
] as const

/**
 * UTF-8, or UTF-16 when a byte order mark says so; without the mark.
 * @throws GruvError `bad-file` for other bytes and for NUL, with the place; `too-large` for more
 *   text than a string can have (about 2^29 characters in V8).
 */
export function decodeText(bytes: Uint8Array): string {
  const marked = byteOrderMarks.find(({ mark }) => hasBytes(bytes, mark))
  const nul = marked === undefined ? bytes.indexOf(0) : -1
  if (nul >= 0) throw notText(nul, 'UTF-8, without NUL')
  const decoder = new TextDecoder(marked?.encoding ?? 'utf-8', { fatal: true })
  try {
    return decoder.decode(bytes)
  } catch (cause) {
    if (!(cause instanceof TypeError)) {
      throw new GruvError('too-large', 'the text is too long for one string', {
        got: `${bytes.length} bytes`,
        fix: 'Save it as .npy: smaller, and read faster.',
        cause,
      })
    }
    throw notText(validLength(bytes, decoder.encoding), decoder.encoding.toUpperCase(), cause)
  }
}

function notText(at: number, expected: string, cause?: unknown): GruvError {
  return new GruvError('bad-file', 'this is not text', {
    where: `byte ${at}`,
    expected,
    fix: 'Save it as UTF-8 text, or as .npy.',
    ...(cause !== undefined && { cause }),
  })
}

/** How many bytes can be decoded: the longest prefix that does not throw, by bisection. */
function validLength(bytes: Uint8Array, encoding: string): number {
  let valid = 0
  let invalid = bytes.length
  while (invalid - valid > 1) {
    const middle = (valid + invalid) >>> 1
    try {
      new TextDecoder(encoding, { fatal: true }).decode(bytes.subarray(0, middle), { stream: true })
      valid = middle
    } catch {
      invalid = middle
    }
  }
  return valid
}

/**
 * Lines with their numbers from 1 on. Each ends in LF, CR LF or CR, the last one perhaps in
 * nothing.
 */
export function* eachLine(text: string): Generator<{ line: string; number: number }> {
  const ends = /\r\n?|\n/g
  let number = 1
  let start = 0
  for (let end = ends.exec(text); end !== null; end = ends.exec(text)) {
    yield { line: text.slice(start, end.index), number: number++ }
    start = ends.lastIndex
  }
  if (start < text.length) yield { line: text.slice(start), number }
}

/** The first lines that are neither blank nor a comment, or as many as there are. */
export function firstLines(text: string, most: number): string[] {
  const lines: string[] = []
  for (const { line } of eachLine(text)) {
    const content = line.trim()
    if (content !== '' && !content.startsWith('#')) lines.push(line)
    if (lines.length === most) break
  }
  return lines
}
