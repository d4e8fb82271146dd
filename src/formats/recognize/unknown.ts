/** Says what a file is that no reader recognises. */

import { hasBytes, showBytes } from '../../bytes/byte-arrays.ts'
import { GruvError } from '../../errors.ts'

/** Other people's files, by their first bytes: what they are, and why not. */
const strangers: readonly { readonly magic: readonly number[]; readonly is: string }[] = [
  {
    magic: [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59],
    is: 'a single NumPy array (.npy): data rather than a model',
  },
  {
    magic: [0x50, 0x4b, 0x03, 0x04],
    is: 'a zip archive without NumPy arrays, PyTorch pickle or Keras configuration',
  },
  { magic: [0x50, 0x4b, 0x05, 0x06], is: 'an empty zip archive' },
  { magic: [0x1f, 0x8b], is: 'compressed with gzip: unpack it first' },
  { magic: [0x89, 0x50, 0x4e, 0x47], is: 'a PNG picture' },
]

/** `unsupported`, naming the formats there are. */
export function unknownFormat(bytes: Uint8Array, titles: readonly string[]): GruvError {
  if (bytes.length === 0)
    return new GruvError('bad-file', 'the file is empty', { expected: 'a model' })
  const stranger = strangers.find(({ magic }) => hasBytes(bytes, magic))
  return new GruvError('unsupported', 'this is no model that gruv can read', {
    expected: titles.join('; '),
    got: stranger?.is ?? `bytes that begin with ${showBytes(bytes)}`,
  })
}
