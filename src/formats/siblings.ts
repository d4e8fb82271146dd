/** Reads the files that lie beside a model, and none outside its folder. */

import { quote } from '../bytes/show.ts'
import { GruvError, isGruvError, within } from '../errors.ts'
import type { SourceFile } from './format.ts'

/**
 * A file that a model refers to, by its path relative to the model.
 * @throws GruvError `bad-file` when the path leads out of the model's folder: a model must not
 *   choose which of the user's files are read. `not-found` or `unreadable` when it is not there.
 */
export async function readSibling(file: SourceFile, path: string): Promise<Uint8Array> {
  const clean = siblingPath(file, path)
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

/**
 * The one way to write such a path: with `/`, and without empty parts and dots.
 * @throws GruvError `bad-file` when it leads out of the model's folder, on any system or server.
 */
export function siblingPath(file: SourceFile, path: string): string {
  const readings = [path, decoded(path), decoded(decoded(path))]
  if (path === '' || readings.some(leavesFolder)) {
    throw new GruvError('bad-file', 'the model refers to a file outside its own folder', {
      where: file.name,
      expected: 'a relative path without ..',
      got: quote(path),
    })
  }
  return path
    .split(/[\\/]/)
    .filter((part) => part !== '' && part !== '.')
    .join('/')
}

/** Windows takes `.. ` for `..`, and both slashes; a colon follows a drive or the scheme of a URL. */
function leavesFolder(path: string): boolean {
  return (
    path.startsWith('/') ||
    path.startsWith('\\') ||
    path.includes('\0') ||
    /^[a-z][a-z\d+.-]*:/i.test(path) ||
    path.split(/[\\/]/).some((part) => /^\s*\.\.[\s.]*$/.test(part))
  )
}

/** What servers, and those behind them, make of `%2e%2e` and `%252e`. */
function decoded(path: string): string {
  return path.replace(/%([\da-f]{2})/gi, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)))
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
