/** Writes zip archives, by fflate. Names are keys here and never become paths, so any name is allowed. */

import { GruvError } from '../../errors.ts'
import { quote } from '../show.ts'
import { MOST_ENTRIES, showSize, tooMany } from './limits.ts'

export interface ZipInput {
  readonly name: string
  readonly bytes: Uint8Array
}

/**
 * Offsets have four bytes, of which the largest value means "see zip64"; less 16 MiB for headers.
 */
const MOST_BYTES = 2 ** 32 - 2 ** 24

/** As far back as the format goes: the same entries give the same archive at any time. */
const EPOCH = '1980-01-01T00:00:00'

/**
 * Entries stored as they are, as `numpy.savez` does, or deflated; the same bytes every time.
 * @throws GruvError `bad-argument` for two entries of one name, `too-large` from 4 GiB.
 */
export async function writeZip(
  entries: readonly ZipInput[],
  { compress = false }: { readonly compress?: boolean } = {},
): Promise<Uint8Array> {
  checkEntries(entries.map(({ name, bytes }) => ({ name, size: bytes.length })))
  const { zipSync } = await import('fflate')
  const files = Object.fromEntries(entries.map(({ name, bytes }) => [name, bytes]))
  return zipSync(files, { level: compress ? 6 : 0, mtime: EPOCH })
}

/** @throws GruvError `bad-argument` for two entries of one name, `too-large` from 4 GiB. */
export function checkEntries(
  entries: readonly { readonly name: string; readonly size: number }[],
): void {
  const names = new Set<string>()
  let total = 0
  for (const { name, size } of entries) {
    // fflate keeps entries as properties of an object, which this name would not become.
    if (names.has(name) || name === '__proto__') {
      throw new GruvError('bad-argument', 'this name cannot be used, or not twice', {
        where: quote(name),
      })
    }
    names.add(name)
    total += size
  }
  if (total > MOST_BYTES) {
    throw new GruvError('too-large', 'an archive does not hold so much', {
      expected: `at most ${showSize(MOST_BYTES)}`,
      got: showSize(total),
      fix: 'Write several archives.',
    })
  }
  if (names.size > MOST_ENTRIES) throw tooMany(`${names.size}`)
}
