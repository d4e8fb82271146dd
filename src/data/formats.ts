/**
 * Finds the format of a data file: for writing by name, for reading by content and then by name.
 */

import { hasBytes } from '../bytes/byte-arrays.ts'
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

interface ForeignFormat {
  readonly magic: readonly number[]
  /** Completes "this is …". */
  readonly is: string
  readonly fix?: string
}

const ascii = (text: string): readonly number[] => Array.from(text, (c) => c.charCodeAt(0))

const foreignFormats: readonly ForeignFormat[] = [
  {
    magic: [0x89, ...ascii('HDF\r\n\x1a\n')],
    is: 'HDF5',
    fix: 'In Python: numpy.save("x.npy", h5py.File("x.h5")["x"][:]).',
  },
  ...[2, 3, 4, 5].map((protocol) => ({
    magic: [0x80, protocol],
    is: 'a Python pickle, which could run code',
    fix: 'In Python, from where it came: numpy.save("x.npy", x).',
  })),
  { magic: [0x1f, 0x8b], is: 'compressed with gzip', fix: 'Unpack it first: gunzip FILE.' },
  { magic: ascii('BZh'), is: 'compressed with bzip2', fix: 'Unpack it first: bunzip2 FILE.' },
  {
    magic: [0xfd, ...ascii('7zXZ\0')],
    is: 'compressed with xz',
    fix: 'Unpack it first: unxz FILE.',
  },
  { magic: [0x28, 0xb5, 0x2f, 0xfd], is: 'compressed with Zstandard', fix: 'Unpack it first.' },
  { magic: ascii('7z\xbc\xaf\x27\x1c'), is: 'a 7z archive', fix: 'Unpack it first.' },
  {
    magic: ascii('PAR1'),
    is: 'Parquet',
    fix: 'In Python: pandas.read_parquet("x.parquet").to_csv("x.csv", index=False).',
  },
  { magic: ascii('ARROW1'), is: 'an Arrow file' },
  { magic: ascii('MATLAB 5.0 MAT-file'), is: 'a MATLAB file' },
  { magic: ascii('SQLite format 3\0'), is: 'an SQLite database' },
  { magic: [0xd0, 0xcf, 0x11, 0xe0], is: 'an old Excel or Word file', fix: 'Save it as CSV.' },
  { magic: ascii('RIFF'), is: 'a RIFF file (WAV sound)' },
  { magic: [0x89, ...ascii('PNG')], is: 'a PNG picture' },
  { magic: [0xff, 0xd8, 0xff], is: 'a JPEG picture' },
  { magic: ascii('GIF8'), is: 'a GIF picture' },
  { magic: ascii('%PDF'), is: 'a PDF document' },
]

/**
 * @throws GruvError `unsupported` for a known kind of file that holds no data, saying what it is.
 */
export function refuseForeign(bytes: Uint8Array): void {
  const foreign = foreignFormats.find(({ magic }) => hasBytes(bytes, magic))
  const is = foreign?.is ?? (isSafetensors(bytes) ? 'a safetensors file: a model, not data' : '')
  if (is === '') return
  throw new GruvError('unsupported', `this is ${is}`, {
    expected: `one of ${knownEndings}`,
    ...(foreign?.fix !== undefined && { fix: foreign.fix }),
  })
}

/** A length of eight bytes, the upper two of which are 0, and a JSON object. */
function isSafetensors(bytes: Uint8Array): boolean {
  return bytes[8] === 0x7b && bytes[6] === 0 && bytes[7] === 0
}

/** The format that a text looks like, for names without a known ending. */
export function textFormat(text: string): TextFormat {
  const lines = firstLines(text, 2)
  const [first = '', second = ''] = lines.map((line) => line.trim())
  if (first.startsWith('{')) return 'json'
  if (first.startsWith('[')) return first.endsWith(']') && second.startsWith('[') ? 'jsonl' : 'json'
  return tableFormats[detectDelimiter(lines)]
}

const tableFormats = { ',': 'csv', ';': 'csv', '\t': 'tsv', ' ': 'text' } as const
