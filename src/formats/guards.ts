/** What readers check before they go on: paths in files, options that contradict a file. */

import { GruvError, isGruvError, within } from '../errors.ts'
import type { ReadOptions, SourceFile } from './format.ts'

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

/** For formats that state their conventions: an override would hide that the file says otherwise. */
export function refuseConventions(options: ReadOptions, why: string): void {
  const said = [
    ...Object.keys(options.conventions ?? {}),
    ...(options.names === undefined ? [] : ['names']),
  ]
  if (said.length === 0) return
  throw new GruvError('bad-argument', `${said.join(', ')} cannot be set for this file`, {
    got: why,
  })
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
