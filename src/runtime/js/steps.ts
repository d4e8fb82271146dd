/** How recurrent layers run over rows and steps, masks, and the state between the steps. */

import type { Place } from '../layer.ts'
import type { StepsKernel } from '../layers/steps.ts'
import { repeatsState, STEP } from '../masks.ts'
import { leave, type PassOver, passOver } from '../pass-over.ts'
import { padded } from '../plan.ts'
import type { Memory } from './ops.ts'

/**
 * One row, one timestep: reads x and h, writes h' to `out`, which is neither. `states` is the row's
 * state row, for layers that carry more than h.
 */
export type Step<K, C> = (
  kernel: K,
  context: C,
  m: Memory,
  x: number,
  h: number,
  out: number,
  scratch: number,
  states: number,
) => void

/** Runs a layer over the rows and steps of a place; what a step is made of is the engine's. */
export function overSteps<K extends StepsKernel, C>(
  kernel: K,
  place: Place,
  context: C,
  step: Step<K, C>,
): void {
  const codeAt = codesOf(kernel)
  // The layer's own mask or lengths go before the caller's.
  if (codeAt === always && place.code !== STEP.valid) {
    passOverAll(kernel, place)
    return
  }
  const { memory, layout, rows, steps } = place
  const missing = kernel.lengths !== undefined
  const lanes = padded(kernel.units)
  const xStride = padded(kernel.features)
  const scratch = place.frame + layout.scratch
  const way = kernel.direction === 'forward' ? 1 : -1
  const first = way > 0 ? 0 : steps - 1
  arriveAll(kernel, place)
  for (let row = 0; row < rows; row++) {
    const states = place.state + row * place.stateStride
    const state = states + kernel.state
    const start = row * layout.steps + first
    let x = place.frame + layout.offsets[kernel.x] + start * xStride
    let out = place.frame + layout.offsets[kernel.sequence] + start * lanes
    let h = state
    for (let i = 0, t = first; i < steps; i++, t += way) {
      const code = codeAt(kernel, place, row, t, states)
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
    leave(kernel.finalState, state, row, lanes, place)
    leave(kernel.last, missing ? state : out - way * lanes, row, lanes, place)
  }
  leaveCells(kernel, place)
}

/** `passOver` where states come and go by ports. */
export const passOverAll: PassOver = (kernel, place) => {
  arriveAll(kernel, place)
  passOver(kernel, place)
  leaveCells(kernel, place)
}

function arriveAll(kernel: StepsKernel, place: Place): void {
  if (!place.start) return
  const { initialState, initialCell, state, cell } = kernel
  if (initialState !== undefined) arrive(initialState, state, kernel, place)
  if (initialCell !== undefined && cell !== undefined) arrive(initialCell, cell, kernel, place)
}

/** Copies a value's vector of each row to a state. */
function arrive(
  value: number,
  offset: number,
  { units }: StepsKernel,
  { memory, frame, layout, state, stateStride, rows }: Place,
): void {
  const lanes = padded(units)
  for (let row = 0; row < rows; row++) {
    const from = frame + layout.offsets[value] + row * lanes
    memory.copyWithin(state + row * stateStride + offset, from, from + lanes)
  }
}

function leaveCells({ finalCell, cell, units }: StepsKernel, place: Place): void {
  if (finalCell === undefined || cell === undefined) return
  for (let row = 0; row < place.rows; row++)
    leave(finalCell, place.state + row * place.stateStride + cell, row, padded(units), place)
}

/** What happens at step t of these steps, as the graph says: a `STEP`. */
type CodeAt = (kernel: StepsKernel, place: Place, row: number, t: number, states: number) => number

const always: CodeAt = () => STEP.valid

function codesOf({ lengths, mask }: StepsKernel): CodeAt {
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
