/** Reads the files that lie beside a model, and none outside its folder. */

import { GruvError, isGruvError, within } from '../errors.ts'
import type { SourceFile } from './format.ts'

/**
 * A file that a model refers to, by its path relative to the model.
 * @throws GruvError `bad-file` when the path leads out of the model's folder: a model must not
 *   choose which of the user's files are read. `not-found` or `unreadable` when it is not there.
 */
export async function readSibling(file: SourceFile, path: string): Promise<Uint8Array> {
  const parts = path.split(/[\\/]/)
  if (
    path === '' ||
    parts[0] === '' ||
    parts.includes('..') ||
    /^[a-z][a-z\d+.-]*:/i.test(path) ||
    path.includes('\0')
  ) {
    throw new GruvError('bad-file', 'the model refers to a file outside its own folder', {
      where: file.name,
      expected: 'a relative path without ..',
      got: JSON.stringify(path.slice(0, 100)),
    })
  }
  const clean = parts.filter((part) => part !== '' && part !== '.').join('/')
  if (file.siblings === undefined) {
    throw new GruvError('not-found', `the model needs the file '${clean}' beside it`, {
      where: file.name,
      got: 'the model file alone',
      fix: 'Load it by its path or URL, or give all its files by name.',
    })
  }
  try {
    return await file.siblings.read(clean)
  } catch (error) {
    throw within(clean, error)
  }
}

/** What `readSibling` gives; null where the file is not there. */
export async function readOptional(file: SourceFile, path: string): Promise<Uint8Array | null> {
  try {
    return await readSibling(file, path)
  } catch (error) {
    if (isGruvError(error) && (error.code === 'unreadable' || error.code === 'not-found'))
      return null
    throw error
  }
}
