/** Says what a file is that no reader recognises. */

import { hasBytes, showBytes } from '../../bytes/byte-arrays.ts'
import { type ForeignFormat, foreignFormat } from '../../bytes/foreign.ts'
import { readJson } from '../../bytes/json/tensors.ts'
import { quote } from '../../bytes/show.ts'
import { readTable } from '../../bytes/tables/tables.ts'
import { decodeText } from '../../bytes/text.ts'
import { GruvError } from '../../errors.ts'

/** `unsupported`, saying first what came, and last which formats there are. */
export function unknownFormat(bytes: Uint8Array, titles: readonly string[]): GruvError {
  if (bytes.length === 0)
    return new GruvError('bad-file', 'the file is empty', { expected: 'a model' })
  const format = foreignFormat(bytes) ?? zipFormat(bytes) ?? textFormat(bytes)
  const is = format?.is ?? `a file that begins with the bytes ${showBytes(bytes)}`
  const problem =
    format?.holds === 'data'
      ? ': it is data rather than a model'
      : ', and no model that gruv can read'
  const fix = format?.asModel === undefined ? '' : `${format.asModel} `
  return new GruvError('unsupported', `this is ${is}${problem}`, {
    fix: `${fix}gruv reads: ${titles.join('; ')}.`,
  })
}

/** Archives with something in them that gruv reads were recognised before. */
function zipFormat(bytes: Uint8Array): ForeignFormat | undefined {
  if (hasBytes(bytes, [0x50, 0x4b, 0x05, 0x06])) return { is: 'an empty zip archive' }
  if (!hasBytes(bytes, [0x50, 0x4b, 0x03, 0x04])) return undefined
  return { is: 'a zip archive without NumPy arrays, PyTorch pickle or Keras configuration' }
}

/** JSON objects were recognised before: they may hold weights. */
function textFormat(bytes: Uint8Array): ForeignFormat | undefined {
  const text = attempt(() => decodeText(bytes))
  if (text === undefined) return undefined
  const table = attempt(() => readTable(text)) ?? attempt(() => readJson(text))
  if (table) return { is: 'a table of numbers', holds: 'data', asModel: 'Give it to --input.' }
  return { is: `a text that begins with ${quote(text.trim())}` }
}

/** What `read` gives; undefined where it throws. */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}
