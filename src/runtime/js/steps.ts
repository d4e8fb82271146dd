/** What recurrent layers have in common: rows, steps, masks, and the state between the steps. */

import type { MaskedOutput } from '../../model/masking.ts'
import type { LayerNode, RecurrentNode } from '../../model/types.ts'
import type { Place } from '../layers.ts'
import { repeatsState, STEP } from '../masks.ts'
import { type PlanBuilder, padded } from '../plan.ts'
import type { Memory } from './ops.ts'

export interface StepsKernel {
  readonly node: string
  readonly features: number
  readonly units: number
  readonly direction: 'forward' | 'backward'
  readonly maskedOutput: MaskedOutput
  /** Value indices; −1 where the graph leaves the port open. */
  readonly x: number
  readonly initialState: number
  readonly initialCell: number
  readonly mask: number
  readonly lengths: number
  readonly sequence: number
  readonly last: number
  readonly finalState: number
  readonly finalCell: number
  /** Offset of h in the state row. */
  readonly state: number
  /** Offset of an LSTM's c in the state row; −1 in other layers. */
  readonly cell: number
  /** Offset in the state row of whether a step has counted; −1 where nobody asks. */
  readonly seen: number
}

export function planSteps(node: RecurrentNode, builder: PlanBuilder): StepsKernel {
  const sequence = builder.output('sequence', 'step')
  return {
    node: node.name,
    features: node.features,
    units: node.units,
    direction: node.direction,
    maskedOutput: node.maskedOutput,
    x: builder.input('x', 'step'),
    initialState: builder.input('initialState', 'row'),
    initialCell: builder.input('initialCell', 'row'),
    mask: builder.input('mask', 'step'),
    lengths: builder.input('lengths', 'row'),
    // The recurrence reads its own last output, so the sequence exists even if nobody asks for it.
    sequence: sequence < 0 ? builder.local('sequence', node.units, 'step') : sequence,
    last: builder.output('last', 'row'),
    finalState: builder.output('state', 'row'),
    finalCell: builder.output('cell', 'row'),
    state: builder.state('h'),
    cell: node.kind === 'lstm' ? builder.state('c') : -1,
    seen: node.inputs.mask === undefined ? -1 : builder.state('seen'),
  }
}

/** Why a recurrent layer cannot run step by step; true if it can. */
export function causalSteps(node: RecurrentNode): true | string {
  if (node.direction === 'backward') return 'it reads the sequence from its end'
  if (node.inputs.lengths !== undefined) return 'it must know how long the sequence is'
  return startsFromOutside(node) ? 'it starts from a state that comes from outside' : true
}

function startsFromOutside({ inputs }: LayerNode): boolean {
  return inputs.initialState !== undefined || inputs.initialCell !== undefined
}

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
