/** Refuses what `gruv/core` does not hold, and names the entry that does. */

import { GruvError } from '../errors.ts'

/** All that it holds, for messages. */
const HELD = 'GRU, LSTM, RNN and Dense layers, from safetensors or npz'

export function notHere(what: string, got: string, fix: string): GruvError {
  return new GruvError('unsupported', `gruv/core does not hold ${what}`, {
    expected: HELD,
    got,
    fix,
  })
}
