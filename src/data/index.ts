/**
 * `gruv/data` reads and writes numbers in files: NumPy's .npy and .npz, tables as text, JSON.
 *
 *     const { tensors } = await readData(bytes, 'input.csv')
 *     const bytes = await writeData({ y }, 'output.npy')
 */

import { readJson } from '../bytes/json/tensors.ts'
import { writeJson, writeJsonLines } from '../bytes/json/write.ts'
import { readNpy, writeNpy } from '../bytes/numpy/npy.ts'
import { readNpz, writeNpz } from '../bytes/numpy/npz.ts'
import { type LineNumbers, readTable, writeTable } from '../bytes/tables/tables.ts'
import { decodeText } from '../bytes/text.ts'
import { GruvError } from '../errors.ts'
import type { Named, Tensor, WithNames } from '../tensor.ts'
import {
  binaryFormat,
  type DataFormat,
  formatOfName,
  knownEndings,
  refuseForeign,
  type TextFormat,
  textFormat,
} from './formats.ts'
import { readJsonRows } from './lines.ts'

export { showNumber } from '../bytes/numbers/decimal.ts'
export { isHeader, type RowOptions } from '../bytes/tables/row.ts'
export type { LineNumbers } from '../bytes/tables/tables.ts'
export { visible } from '../errors.ts'
export type { DataFormat } from './formats.ts'
export { RowReader } from './lines.ts'
export {
  type Filled,
  type FillOptions,
  fillMissing,
  type Gap,
  type MissingPolicy,
  MissingValues,
  missingPolicies,
} from './missing.ts'
export { parseRow } from './rows.ts'
export { type StreamedArray, streamData } from './stream.ts'

export interface DataFile<Name extends string = 'data'> {
  readonly format: DataFormat
  /**
   * An array that has no name in the file is called `data`. Of a file whose arrays have names, say
   * which are there: `readData<'x' | 'y'>(bytes, 'both.npz')`.
   */
  readonly tensors: WithNames<Name, Tensor>
  /** The names in a table's header row, if it has one. */
  readonly columns?: readonly string[]
  /** Columns of text in a table, which the tensor does not hold: their names, or `column 1`. */
  readonly leftOut?: readonly string[]
  /** The lines of a table's rows, wherever they do not follow each other. */
  readonly lines?: LineNumbers
}

export interface ReadOptions {
  /** Takes the error of a row of a table or of JSON lines, which is then left out. */
  readonly onError?: (error: GruvError) => void
}

/**
 * The arrays of a data file. Binary formats are recognised by content; texts by the ending of the
 * name, and where that says nothing by content.
 * @param name of the file; nothing is opened.
 * @throws GruvError `bad-file`, `bad-shape` or `too-large` for a file that is wrong, with the place
 *   in it (the caller knows the file); `unsupported` for one that holds something else.
 */
export async function readData<Name extends string = 'data'>(
  bytes: Uint8Array,
  name: string,
  options: ReadOptions = {},
): Promise<DataFile<Name>> {
  return (await readAny(bytes, name, options)) as DataFile<Name>
}

/** What a file holds, whatever its arrays are called. */
type AnyData = DataFile<never>

async function readAny(bytes: Uint8Array, name: string, options: ReadOptions): Promise<AnyData> {
  if (bytes.length === 0) {
    throw new GruvError('bad-file', 'the file is empty', { expected: 'numbers' })
  }
  const binary = binaryFormat(bytes)
  if (binary !== 'npy') refuseForeign(bytes)
  const format = binary ?? formatOfName(name)
  if (format === 'npy') return { format, tensors: { data: readNpy(bytes) } }
  if (format === 'npz') return { format, tensors: await readArchive(bytes) }
  return readText(bytes, format, options)
}

async function readArchive(bytes: Uint8Array): Promise<Named<Tensor>> {
  const tensors = await readNpz(bytes)
  if (Object.keys(tensors).length > 0) return tensors
  throw new GruvError('bad-file', 'the archive is empty', { expected: 'at least one array' })
}

function readText(bytes: Uint8Array, named: TextFormat | undefined, options: ReadOptions): AnyData {
  const text = decodeText(bytes)
  const format = named ?? textFormat(text)
  if (format === 'json') return { format, tensors: readJson(text) }
  if (format === 'jsonl') return { format, ...readJsonRows(text, options) }
  const { columns, leftOut, lines, delimiter: _, ...data } = readTable(text, options)
  return {
    format,
    tensors: { data },
    lines,
    ...(columns !== null && { columns }),
    ...(leftOut.length > 0 && { leftOut }),
  }
}

type Writer = (tensors: Named<Tensor>) => Uint8Array | string | Promise<Uint8Array>

const writers: Readonly<Record<DataFormat, Writer>> = {
  npy: (tensors) => writeNpy(lone(tensors)),
  npz: (tensors) => writeNpz(tensors),
  csv: (tensors) => writeTable(lone(tensors), ','),
  tsv: (tensors) => writeTable(lone(tensors), '\t'),
  text: (tensors) => writeTable(lone(tensors), ' '),
  json: (tensors) => writeJson(tensors),
  jsonl: (tensors) => writeJsonLines(lone(tensors)),
}

/**
 * The bytes of a data file, in the format that the name's ending says; the same tensors give the
 * same bytes. .npz and .json take several arrays, the others one; .csv, .tsv and .txt rows and
 * columns, the others any shape. Texts have as few digits as give the numbers back.
 * @throws GruvError `bad-argument` for an ending that is not known, and for several arrays in a
 *   file for one; `bad-shape` for more axes than a table has.
 */
export async function writeData(tensors: Named<Tensor>, name: string): Promise<Uint8Array> {
  const format = formatOfName(name)
  if (format === undefined) {
    throw new GruvError('bad-argument', 'the name does not say which format to write', {
      expected: `a name that ends in one of ${knownEndings}`,
      got: name,
    })
  }
  const content = await writers[format](tensors)
  return typeof content === 'string' ? new TextEncoder().encode(content) : content
}

function lone(tensors: Named<Tensor>): Tensor {
  const names = Object.keys(tensors)
  if (names.length === 1) return tensors[names[0]]
  throw new GruvError('bad-argument', 'this format holds a single array', {
    expected: 'one array',
    got: names.join(', ') || 'none',
    fix: 'Write .npz or .json, which hold several by name.',
  })
}
