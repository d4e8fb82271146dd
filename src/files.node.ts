/** The file system, for `load` in Node. Loaded only there. */

import { readFile, stat } from 'node:fs/promises'
import { GruvError } from './errors.ts'

/** Node reads no more into one buffer. */
const MOST_BYTES = 2 ** 31 - 1

const explanations: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'permission to read it is denied',
  EPERM: 'permission to read it is denied',
  EISDIR: 'this is a folder',
  ENOTDIR: 'a part of the path is not a folder',
  ELOOP: 'the link leads in a circle',
  ENAMETOOLONG: 'the name is too long',
}

/** @throws GruvError `unreadable`, saying why in words; `too-large` from 2 GiB. */
export async function readFileBytes(path: string | URL): Promise<Uint8Array> {
  try {
    const info = await stat(path)
    if (info.isDirectory()) {
      throw new GruvError('unreadable', 'this is a folder', { expected: 'a file' })
    }
    if (info.size > MOST_BYTES) {
      throw new GruvError('too-large', 'the file is too large', {
        expected: 'less than 2 GiB',
        got: `${(info.size / 2 ** 30).toFixed(1)} GiB`,
      })
    }
    return await readFile(path)
  } catch (cause) {
    if (cause instanceof GruvError) throw cause
    const { code, message } = cause as NodeJS.ErrnoException
    throw new GruvError('unreadable', explanations[code ?? ''] ?? message, { cause })
  }
}
