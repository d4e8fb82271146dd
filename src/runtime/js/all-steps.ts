/** `overSteps` where the graph itself says which steps count, and states come and go by ports. */

import type { Place } from '../layer.ts'
import type { StepsKernel } from '../layers/steps.ts'
import { STEP } from '../masks.ts'
import { padded } from '../plan.ts'
import { type CodeOf, codeOfMasks, leave, overSteps, type Step } from './steps.ts'

export function overAllSteps<K extends StepsKernel, C>(
  kernel: K,
  place: Place,
  context: C,
  step: Step<K, C>,
): void {
  const missing = kernel.lengths >= 0 || (place.masks?.missing ?? false)
  if (place.start) {
    arrive(kernel.initialState, kernel.state, kernel, place)
    arrive(kernel.initialCell, kernel.cell, kernel, place)
  }
  overSteps(kernel, place, context, step, codeOf(kernel, place), missing)
  if (kernel.finalCell < 0) return
  for (let row = 0; row < place.rows; row++) {
    const states = place.state + row * place.stateStride
    leave(kernel.finalCell, states + kernel.cell, row, padded(kernel.units), place)
  }
}

/** Copies a value's vector of each row to a state. */
function arrive(
  value: number,
  offset: number,
  { units }: StepsKernel,
  { memory, frame, layout, state, stateStride, rows }: Place,
): void {
  if (value < 0) return
  const lanes = padded(units)
  for (let row = 0; row < rows; row++) {
    const from = frame + layout.offsets[value] + row * lanes
    memory.copyWithin(state + row * stateStride + offset, from, from + lanes)
  }
}

/** The layer's own lengths or mask go before the caller's. */
function codeOf({ lengths, mask }: StepsKernel, { masks }: Place): CodeOf {
  if (lengths >= 0) return codeOfLengths
  if (mask >= 0) return codeOfPort
  return masks === null ? always : codeOfMasks
}

const always: CodeOf = () => STEP.valid

const codeOfLengths: CodeOf = ({ lengths }, { memory, frame, layout, firstStep }, row, t) => {
  const length = memory[frame + layout.offsets[lengths] + row * padded(1)]
  return firstStep + t < length ? STEP.valid : STEP.empty
}

const codeOfPort: CodeOf = (kernel, { memory, frame, layout }, row, t, states) => {
  const at = frame + layout.offsets[kernel.mask] + (row * layout.steps + t) * padded(1)
  const seen = states + kernel.seen
  if (memory[at] === 0) return memory[seen] === 0 ? STEP.empty : STEP.repeat
  memory[seen] = 1
  return STEP.valid
}
