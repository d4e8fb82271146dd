/**
 * Finds the format of a data file: for writing by name, for reading by content and then by name.
 */

import { hasBytes } from '../bytes/byte-arrays.ts'
import { type ForeignFormat, foreignFormat } from '../bytes/foreign.ts'
import { npyMagic } from '../bytes/numpy/npy.ts'
import { detectDelimiter } from '../bytes/tables/row.ts'
import { firstLines } from '../bytes/text.ts'
import { GruvError } from '../errors.ts'

export type TextFormat = 'csv' | 'tsv' | 'text' | 'json' | 'jsonl'
export type DataFormat = 'npy' | 'npz' | TextFormat

/** By the ending of the name. */
const endings: Readonly<Record<string, DataFormat>> = {
  npy: 'npy',
  npz: 'npz',
  csv: 'csv',
  tsv: 'tsv',
  txt: 'text',
  dat: 'text',
  json: 'json',
  jsonl: 'jsonl',
  ndjson: 'jsonl',
}

/** What is read and written, for messages. */
export const knownEndings: string = Object.keys(endings)
  .map((ending) => `.${ending}`)
  .join(' ')

export function formatOfName(name: string): DataFormat | undefined {
  const ending = /\.([^./\\]+)$/.exec(name)?.[1].toLowerCase() ?? ''
  return Object.hasOwn(endings, ending) ? endings[ending] : undefined
}

/** `PK\3\4`, or `PK\5\6` for an archive without entries. */
const zipMagics = [
  [0x50, 0x4b, 0x03, 0x04],
  [0x50, 0x4b, 0x05, 0x06],
]

export function binaryFormat(bytes: Uint8Array): 'npy' | 'npz' | undefined {
  if (hasBytes(bytes, npyMagic)) return 'npy'
  return zipMagics.some((magic) => hasBytes(bytes, magic)) ? 'npz' : undefined
}

/**
 * @throws GruvError `unsupported` for a known kind of file that holds no data that is read here,
 *   saying what it is.
 */
export function refuseForeign(bytes: Uint8Array): void {
  const foreign: ForeignFormat | undefined = isSafetensors(bytes)
    ? { is: 'a safetensors file', holds: 'model' }
    : foreignFormat(bytes)
  if (foreign === undefined) return
  const { is, holds, asData } = foreign
  throw new GruvError(
    'unsupported',
    `this is ${is}${holds === 'model' ? ': a model, not data' : ''}`,
    {
      expected: `one of ${knownEndings}`,
      ...(asData !== undefined && { fix: asData }),
    },
  )
}

/** A length of eight bytes, the upper two of which are 0, and a JSON object. */
function isSafetensors(bytes: Uint8Array): boolean {
  return bytes[8] === 0x7b && bytes[6] === 0 && bytes[7] === 0
}

/** The format that a text looks like, for names without a known ending. */
export function textFormat(text: string): TextFormat {
  const lines = firstLines(text, 2)
  const [first = '', second = ''] = lines.map((line) => line.trim())
  if (first.startsWith('{')) return first.endsWith('}') && second.startsWith('{') ? 'jsonl' : 'json'
  if (first.startsWith('[')) return first.endsWith(']') && second.startsWith('[') ? 'jsonl' : 'json'
  return tableFormats[detectDelimiter(lines)]
}

const tableFormats = { ',': 'csv', ';': 'csv', '\t': 'tsv', ' ': 'text' } as const
