/** Recurrent layers at steps that the caller's mask or lengths pass over. */

import type { Place } from './layer.ts'
import type { StepsKernel } from './layers/steps.ts'
import { repeatsState } from './masks.ts'
import { padded } from './plan.ts'

/** Gives out the state, or zeros, for the steps of one row; the state stays. */
export type PassOver = (kernel: StepsKernel, place: Place) => void

export const passOver: PassOver = (kernel, place) => {
  const { memory, frame, layout } = place
  const lanes = padded(kernel.units)
  const sequence = frame + layout.offsets[kernel.sequence]
  const state = place.state + kernel.state
  const repeats = repeatsState(place.code, kernel.maskedOutput, place.missing)
  for (let t = 0, out = sequence; t < place.steps; t++, out += lanes) {
    if (repeats) memory.copyWithin(out, state, state + lanes)
    else memory.fill(0, out, out + lanes)
  }
  leave(kernel.finalState, state, 0, lanes, place)
  // Where steps are masked, the last output may be a repeated one, or zeros; where they are missing,
  // it is that of the last step there is, and so the state.
  leave(kernel.last, place.missing ? state : sequence, 0, lanes, place)
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
