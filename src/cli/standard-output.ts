/** Ends a command well when nobody reads its output, and with a message when it cannot be written. */

import { readFileSync, readlinkSync } from 'node:fs'
import { EXIT_BAD } from './exit-codes.ts'
import { complain } from './render.ts'

/** @returns whether there is an output to write to. */
export function watchOutput(): boolean {
  process.stdout.on('error', ({ code, message }: NodeJS.ErrnoException) => {
    // A reader that closes the pipe early (`gruv run … | head`) is not an error.
    if (code === 'EPIPE') process.exit(0)
    complain(`the output cannot be written: ${code === 'ENOSPC' ? 'the disk is full' : message}`)
    process.exit(EXIT_BAD)
  })
  // There is no other place for messages.
  process.stderr.on('error', () => process.exit(EXIT_BAD))
  if (!wasClosed()) return true
  complain('the output cannot be written: standard output is closed. For none, write >/dev/null')
  return false
}

const shells = /^-?(ba|da|z|k|fi|a)?sh$/
const O_RDWR = 2
const NOWHERE = '/dev/null'

/**
 * Whether a shell started the command with `>&-`. Node has then opened /dev/null in its place, for
 * reading too. Some programs give that as an output that is not wanted, but shells do not.
 */
function wasClosed(): boolean {
  try {
    const parent = `/proc/${process.ppid}`
    const flags = /flags:\s*([0-7]+)/.exec(readFileSync('/proc/self/fdinfo/1', 'utf8'))?.[1] ?? '0'
    return (
      readlinkSync('/proc/self/fd/1') === NOWHERE &&
      (Number.parseInt(flags, 8) & 3) === O_RDWR &&
      shells.test(readFileSync(`${parent}/comm`, 'utf8').trim()) &&
      // Some shells close their own for as long as the command runs.
      !isNowhere(`${parent}/fd/1`)
    )
  } catch {
    // Other systems have no such files.
    return false
  }
}

function isNowhere(link: string): boolean {
  try {
    return readlinkSync(link) === NOWHERE
  } catch {
    return false
  }
}
