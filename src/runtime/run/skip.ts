/** Skips steps of recurrent layers that the caller's mask or lengths leave out, and moves states to and from ports. */

import type { Cursor } from '../engine/engine.ts'
import type { RecurrentKernel } from '../plan/kernels.ts'
import { padded } from '../plan/types.ts'
import { repeatsState } from './masks.ts'

/** Gives out the state, or zeros, for the steps of a single row; the state stays. */
export function skipSteps(kernel: RecurrentKernel, cursor: Cursor): void {
  takeStates(kernel, cursor)
  const { memory, frame, layout } = cursor
  const lanes = padded(kernel.units)
  const sequence = frame + layout.offsets[kernel.sequence]
  const state = cursor.state + kernel.state
  const repeats = repeatsState(cursor.code, kernel.maskedOutput, cursor.missing)
  for (let t = 0, out = sequence; t < cursor.steps; t++, out += lanes) {
    if (repeats) memory.copyWithin(out, state, state + lanes)
    else memory.fill(0, out, out + lanes)
  }
  giveVector(kernel.finalState, state, 0, lanes, cursor)
  // Where steps are masked, the last output may be a repeated one, or zeros; where they are missing,
  // it is that of the last step there is, and so the state.
  giveVector(kernel.last, cursor.missing ? state : sequence, 0, lanes, cursor)
  giveCells(kernel, cursor)
}

/** Copies the initial states that arrive at ports, where a sequence begins. */
export function takeStates(kernel: RecurrentKernel, cursor: Cursor): void {
  if (!cursor.start) return
  const { initialState, initialCell, state, cell } = kernel
  if (initialState !== undefined) takeVectors(initialState, state, kernel, cursor)
  if (initialCell !== undefined && cell !== undefined)
    takeVectors(initialCell, cell, kernel, cursor)
}

/** Copies a value's vector of each row to a state. */
function takeVectors(
  value: number,
  offset: number,
  { units }: RecurrentKernel,
  { memory, frame, layout, state, stateStride, rows }: Cursor,
): void {
  const lanes = padded(units)
  for (let row = 0; row < rows; row++) {
    const from = frame + layout.offsets[value] + row * lanes
    memory.copyWithin(state + row * stateStride + offset, from, from + lanes)
  }
}

/** Copies the cells of an LSTM to the port that shows them. */
export function giveCells({ finalCell, cell, units }: RecurrentKernel, cursor: Cursor): void {
  if (finalCell === undefined || cell === undefined) return
  for (let row = 0; row < cursor.rows; row++)
    giveVector(
      finalCell,
      cursor.state + row * cursor.stateStride + cell,
      row,
      padded(units),
      cursor,
    )
}

/** Copies a state, or an output, to a value's vector of the row. */
export function giveVector(
  value: number,
  from: number,
  row: number,
  lanes: number,
  { memory, frame, layout }: Cursor,
): void {
  if (value >= 0) memory.copyWithin(frame + layout.offsets[value] + row * lanes, from, from + lanes)
}
