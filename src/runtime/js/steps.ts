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
export type OverSteps = <K extends StepsKernel, C>(
  kernel: K,
  place: Place,
  context: C,
  step: Step<K, C>,
) => void

/** What happens at step t of these steps: a `STEP`. */
export type CodeOf = (
  kernel: StepsKernel,
  place: Place,
  row: number,
  t: number,
  states: number,
) => number

/**
 * Under the caller's mask; `overAllSteps` also takes what the graph itself says of a layer's steps
 * and states.
 * @param missing whether steps that do not count are not there, rather than masked.
 */
export function overSteps<K extends StepsKernel, C>(
  kernel: K,
  place: Place,
  context: C,
  step: Step<K, C>,
  codeOf: CodeOf = codeOfMasks,
  missing = place.masks!.missing,
): void {
  const { memory, layout, rows, steps } = place
  const lanes = padded(kernel.units)
  const xStride = padded(kernel.features)
  const scratch = place.frame + layout.scratch
  const way = kernel.direction === 'forward' ? 1 : -1
  const first = way > 0 ? 0 : steps - 1
  for (let row = 0; row < rows; row++) {
    const states = place.state + row * place.stateStride
    const state = states + kernel.state
    const start = row * layout.steps + first
    let x = place.frame + layout.offsets[kernel.x] + start * xStride
    let out = place.frame + layout.offsets[kernel.sequence] + start * lanes
    let h = state
    for (let i = 0, t = first; i < steps; i++, t += way) {
      const code = codeOf(kernel, place, row, t, states)
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
    // Where steps are masked, the last output may be a repeated one, or zeros; where they are
    // missing, the last output is that of the last step there is, and so the state.
    leave(kernel.last, missing ? state : out - way * lanes, row, lanes, place)
  }
}

export function codeOfMasks(
  { direction }: StepsKernel,
  { masks, firstRow, firstStep, allSteps }: Place,
  row: number,
  t: number,
): number {
  return masks![direction][(firstRow + row) * allSteps + firstStep + t]
}

/** Copies a state, or an output, to the row's place of a value. */
export function leave(
  value: number,
  from: number,
  row: number,
  lanes: number,
  { memory, frame, layout }: Place,
): void {
  if (value >= 0) memory.copyWithin(frame + layout.offsets[value] + row * lanes, from, from + lanes)
}
