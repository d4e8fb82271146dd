/** How recurrent layers run over rows and steps, masks, and the state between the steps. */

import type { Place } from '../layer.ts'
import type { StepsKernel } from '../layers/steps.ts'
import { repeatsState, STEP } from '../masks.ts'
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
  const { memory, layout, rows, steps } = place
  const lanes = padded(kernel.units)
  const xStride = padded(kernel.features)
  const scratch = place.frame + layout.scratch
  const missing = kernel.lengths >= 0 || (place.masks?.missing ?? false)
  const masked = missing || kernel.mask >= 0 || place.masks !== null
  const way = kernel.direction === 'forward' ? 1 : -1
  const first = way > 0 ? 0 : steps - 1
  for (let row = 0; row < rows; row++) {
    const states = place.state + row * place.stateStride
    const state = states + kernel.state
    const cell = states + kernel.cell
    if (place.start) {
      arrive(kernel.initialState, state, row, lanes, place)
      arrive(kernel.initialCell, cell, row, lanes, place)
    }
    const start = row * layout.steps + first
    let x = place.frame + layout.offsets[kernel.x] + start * xStride
    let out = place.frame + layout.offsets[kernel.sequence] + start * lanes
    let h = state
    for (let i = 0, t = first; i < steps; i++, t += way) {
      const code = masked ? codeOf(kernel, place, row, t, states) : STEP.valid
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
    leave(kernel.finalCell, cell, row, lanes, place)
    // Where steps are masked, the last output may be a repeated one, or zeros; where they are
    // missing, the last output is that of the last step there is, and so the state.
    leave(kernel.last, masked && !missing ? out - way * lanes : state, row, lanes, place)
  }
}

/** Copies the row's vector of a value to a state. */
function arrive(
  value: number,
  to: number,
  row: number,
  lanes: number,
  { memory, frame, layout }: Place,
): void {
  if (value < 0) return
  const from = frame + layout.offsets[value] + row * lanes
  memory.copyWithin(to, from, from + lanes)
}

/** Copies a state, or an output, to the row's place of a value. */
function leave(
  value: number,
  from: number,
  row: number,
  lanes: number,
  { memory, frame, layout }: Place,
): void {
  if (value < 0) return
  memory.copyWithin(frame + layout.offsets[value] + row * lanes, from, from + lanes)
}

/** What happens at step t of these steps: a `STEP`. The layer's own mask goes before the caller's. */
function codeOf(
  kernel: StepsKernel,
  { memory, layout, frame, masks, firstRow, firstStep, allSteps }: Place,
  row: number,
  t: number,
  states: number,
): number {
  if (kernel.lengths >= 0) {
    const length = memory[frame + layout.offsets[kernel.lengths] + row * padded(1)]
    return firstStep + t < length ? STEP.valid : STEP.empty
  }
  if (kernel.mask >= 0) {
    const at = frame + layout.offsets[kernel.mask] + (row * layout.steps + t) * padded(1)
    const seen = states + kernel.seen
    if (memory[at] === 0) return memory[seen] === 0 ? STEP.empty : STEP.repeat
    memory[seen] = 1
    return STEP.valid
  }
  return masks![kernel.direction][(firstRow + row) * allSteps + firstStep + t]
}
