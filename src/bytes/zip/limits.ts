/** Limits the entries of zip archives. */

import { GruvError } from '../../errors.ts'

/**
 * The most that an archive without zip64 can count (APPNOTE 4.4.22); no network has as many arrays.
 */
export const MOST_ENTRIES = 65_535

export function tooMany(got: string): GruvError {
  return new GruvError('too-large', 'the archive has too many entries', {
    expected: `at most ${MOST_ENTRIES}`,
    got,
  })
}

export function showSize(bytes: number): string {
  return `${Math.ceil(bytes / 2 ** 20)} MiB`
}
