/**
 * Reads Python pickles, protocols 0 to 5, as descriptions: nothing in them is ever called, imported
 * or built. Where Python would look up a class, the result has its name; where Python would call
 * it, a record of the arguments. The caller decides what a name means.
 *
 * Opcodes: CPython's `Lib/pickletools.py`, which documents each of them.
 */

import { MOST_OPCODES } from '../../limits.ts'
import { PickleMachine, tooLarge } from './machine.ts'
import { opcodes } from './opcodes.ts'
import type { PickleValue } from './values.ts'

/**
 * The pickle that begins at `start`.
 * @returns its value, and where it ends: files may hold several, one after the other.
 * @throws GruvError `bad-file` with the offset, `unsupported` for extension codes and buffers
 *   outside of the file, `too-large` for more values than any checkpoint has.
 */
export function readPickle(
  bytes: Uint8Array,
  start = 0,
): { readonly value: PickleValue; readonly end: number } {
  const machine = new PickleMachine(bytes, start)
  for (let count = 0; count < MOST_OPCODES; count++) {
    machine.opcodeAt = machine.at
    const code = machine.byte()
    if (code === STOP) return { value: machine.pop(), end: machine.at }
    const opcode = opcodes[code]
    if (opcode === undefined) throw machine.bad(`there is no opcode ${hex(code)}`)
    opcode(machine)
  }
  throw tooLarge(`at most ${MOST_OPCODES} opcodes`)
}

/** `.` */
const STOP = 0x2e

function hex(code: number): string {
  return `0x${code.toString(16).padStart(2, '0')}`
}
