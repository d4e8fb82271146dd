/** Runs recurrent layers over rows and steps, with masks, and the state between the steps. */

import type { Cursor } from '../engine/engine.ts'
import type { RecurrentKernel } from '../plan/kernels.ts'
import type { Memory } from '../plan/types.ts'
import { padded } from '../plan/types.ts'
import { repeatsState, STEP } from '../run/masks.ts'
import { giveCells, giveVector, skipSteps, takeStates } from '../run/skip.ts'

/**
 * One row, one timestep: reads x and h, writes h' to `out`, which is neither. `states` is the row's
 * state row, for layers that carry more than h.
 */
export type CellStep<K, C> = (
  kernel: K,
  context: C,
  m: Memory,
  x: number,
  h: number,
  out: number,
  scratch: number,
  states: number,
) => void

/** Runs a layer over the rows and steps of a cursor; what a step is made of is the engine's. */
export function overSteps<K extends RecurrentKernel, C>(
  kernel: K,
  cursor: Cursor,
  context: C,
  step: CellStep<K, C>,
): void {
  const codeAt = codesOf(kernel)
  // The layer's own mask or lengths go before the caller's.
  if (codeAt === always && cursor.code !== STEP.valid) {
    skipSteps(kernel, cursor)
    return
  }
  const { memory, layout, rows, steps } = cursor
  const missing = kernel.lengths !== undefined
  const lanes = padded(kernel.units)
  const xStride = padded(kernel.features)
  const scratch = cursor.frame + layout.scratch
  const way = kernel.direction === 'forward' ? 1 : -1
  const first = way > 0 ? 0 : steps - 1
  takeStates(kernel, cursor)
  for (let row = 0; row < rows; row++) {
    const states = cursor.state + row * cursor.stateStride
    const state = states + kernel.state
    const start = row * layout.steps + first
    let x = cursor.frame + layout.offsets[kernel.x] + start * xStride
    let out = cursor.frame + layout.offsets[kernel.sequence] + start * lanes
    let h = state
    for (let i = 0, t = first; i < steps; i++, t += way) {
      const code = codeAt(kernel, cursor, row, t, states)
      if (code === STEP.valid) {
        step(kernel, context, memory, x, h, out, scratch, states)
        h = out
      } else if (repeatsState(code, kernel.maskedOutput, missing)) {
        memory.copyWithin(out, h, h + lanes)
      } else {
        memory.fill(0, out, out + lanes)
      }
      x += way * xStride
      out += way * lanes
    }
    if (h !== state) memory.copyWithin(state, h, h + lanes)
    giveVector(kernel.finalState, state, row, lanes, cursor)
    giveVector(kernel.last, missing ? state : out - way * lanes, row, lanes, cursor)
  }
  giveCells(kernel, cursor)
}

/** What happens at step t of these steps, as the graph says: a `STEP`. */
type CodeAt = (
  kernel: RecurrentKernel,
  cursor: Cursor,
  row: number,
  t: number,
  states: number,
) => number

const always: CodeAt = () => STEP.valid

function codesOf({ lengths, mask }: RecurrentKernel): CodeAt {
  if (lengths !== undefined) return codeOfLengths
  return mask !== undefined ? codeOfPort : always
}

const codeOfLengths: CodeAt = ({ lengths }, { memory, frame, layout, firstStep }, row, t) => {
  const length = memory[frame + layout.offsets[lengths!] + row * padded(1)]
  return firstStep + t < length ? STEP.valid : STEP.empty
}

const codeOfPort: CodeAt = ({ mask }, { memory, frame, layout }, row, t, states) => {
  const { value, seen } = mask!
  const at = frame + layout.offsets[value] + (row * layout.steps + t) * padded(1)
  if (memory[at] === 0) return memory[states + seen] === 0 ? STEP.empty : STEP.repeat
  memory[states + seen] = 1
  return STEP.valid
}
