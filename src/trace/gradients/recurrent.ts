/** The chain rule backwards through a recurrent layer over whole sequences. */

import { cellStep, type States, stateSlots } from '../../runtime/reference/cells.ts'
import { whichStepsCount } from '../../runtime/reference/recurrent.ts'
import { type Vector, zeros } from '../../runtime/reference/vectors.ts'
import { repeatsState, STEP } from '../../runtime/run/masks.ts'
import type { Named, Tensor } from '../../tensor.ts'
import { cellPullback } from '../pullback.ts'
import type { RecurrentInputs } from '../recurrent-inputs.ts'

/**
 * @param bars derivatives with respect to the output ports `sequence`, `last`, `state`, `cell`.
 * @returns derivatives with respect to `x`, `initialState`, and `initialCell` of an LSTM.
 */
export function pullRecurrent(layer: RecurrentInputs, bars: Named<Tensor>): Named<Tensor> {
  const { node, inputs } = layer
  const { units } = node
  const [rows, steps, features] = inputs.x.shape
  const x = { shape: inputs.x.shape, data: new Float64Array(rows * steps * features) }
  const initial = (): Tensor => ({ shape: [rows, units], data: new Float64Array(rows * units) })
  const initials = { h: initial(), c: initial() }
  for (let row = 0; row < rows; row++) {
    const left = pullRow(layer, bars, row, (t, bar) => {
      x.data.set(bar, (row * steps + t) * features)
    })
    for (const slot of stateSlots(node))
      initials[slot as 'h' | 'c'].data.set(left[slot], row * units)
  }
  return { x, initialState: initials.h, initialCell: initials.c }
}

/** @returns derivatives with respect to the initial state. */
function pullRow(
  { node, inputs, masks, initial, vectorAt }: RecurrentInputs,
  bars: Named<Tensor>,
  row: number,
  put: (t: number, bar: Vector) => void,
): States {
  const { units } = node
  const [, steps] = inputs.x.shape
  const slots = stateSlots(node)
  const timeOf = (i: number): number => (node.direction === 'forward' ? i : steps - 1 - i)
  /** Vector `index` of a port's derivatives; zeros where the port has none. */
  const barOf = (port: string, index: number): Vector => {
    const bar = bars[port]
    if (bar === undefined) return zeros(units)
    return Array.from(bar.data.subarray(index * units, (index + 1) * units))
  }

  const { codeAt, missing } = whichStepsCount(inputs, row, steps, masks)
  const codes = new Uint8Array(steps)
  // Only the states before each step are kept, slot by slot; the steps are computed again.
  const before = new Float64Array(steps * slots.length * units)
  let states = initial(row)
  for (let i = 0; i < steps; i++) {
    slots.forEach((slot, s) => before.set(states[slot], (i * slots.length + s) * units))
    codes[i] = codeAt(timeOf(i))
    if (codes[i] === STEP.valid) states = cellStep(node, vectorAt(row, timeOf(i)), states)
  }
  const stateBefore = (i: number): States =>
    Object.fromEntries(
      slots.map((slot, s) => {
        const from = (i * slots.length + s) * units
        return [slot, Array.from(before.subarray(from, from + units))]
      }),
    )

  const showsState = (i: number): boolean =>
    codes[i] === STEP.valid || repeatsState(codes[i], node.maskedOutput, missing)
  let h = barOf('state', row)
  if (missing || (steps > 0 && showsState(steps - 1))) h = add(h, barOf('last', row))
  let pulled: States = { h, c: barOf('cell', row) }
  for (let i = steps - 1; i >= 0; i--) {
    const t = timeOf(i)
    if (showsState(i)) pulled = { ...pulled, h: add(pulled.h, barOf('sequence', row * steps + t)) }
    if (codes[i] !== STEP.valid || isZero(pulled)) continue
    const { states: old, x } = cellPullback(node, vectorAt(row, t), stateBefore(i))(pulled)
    pulled = { c: pulled.c, ...old }
    put(t, x)
  }
  return pulled
}

function add(a: Vector, b: Vector): Vector {
  return a.map((each, i) => each + b[i])
}

/** Whether nothing depends on a step yet: such rows and steps are skipped. */
function isZero({ h, c }: States): boolean {
  return h.every((each) => each === 0) && c.every((each) => each === 0)
}
