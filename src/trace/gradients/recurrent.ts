/** The chain rule through a recurrent layer over whole sequences, backwards. */

import { repeatsState, STEP } from '../../runtime/masks.ts'
import { cellStep, type States, stateSlots } from '../../runtime/reference/cells.ts'
import { whichStepsCount } from '../../runtime/reference/recurrent.ts'
import type { Vector } from '../../runtime/reference/vectors.ts'
import type { Named, Tensor } from '../../tensor.ts'
import { cellPullback } from '../pullback.ts'
import type { TappedLayer } from '../tap.ts'

/**
 * @param bars derivatives by what leaves, by port: `sequence`, `last`, `state`, `cell`.
 * @returns derivatives by what arrives: `x`, `initialState`, and `initialCell` of an LSTM.
 */
export function pullRecurrent(layer: TappedLayer, bars: Named<Tensor>): Named<Tensor> {
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

/** @returns derivatives by the initial state. */
function pullRow(
  { node, inputs, masks, initial }: TappedLayer,
  bars: Named<Tensor>,
  row: number,
  put: (t: number, bar: Vector) => void,
): States {
  const { units } = node
  const [, steps, features] = inputs.x.shape
  const slots = stateSlots(node)
  const timeOf = (i: number): number => (node.direction === 'forward' ? i : steps - 1 - i)
  const arriving = (t: number): Vector => {
    const from = (row * steps + t) * features
    return Array.from(inputs.x.data.subarray(from, from + features))
  }
  /** Of row `index` of a port's derivatives; zeros where nothing came. */
  const barOf = (port: string, index: number): Vector => {
    const bar = bars[port]
    if (bar === undefined) return new Array<number>(units).fill(0)
    return Array.from(bar.data.subarray(index * units, (index + 1) * units))
  }

  const { codeAt, missing } = whichStepsCount(inputs, row, steps, masks)
  const codes = new Uint8Array(steps)
  // States before each step, one slot after the other: what a step computes is computed again.
  const before = new Float64Array(steps * slots.length * units)
  let states: States = Object.fromEntries(slots.map((slot) => [slot, initial(slot, row)]))
  for (let i = 0; i < steps; i++) {
    slots.forEach((slot, s) => before.set(states[slot], (i * slots.length + s) * units))
    codes[i] = codeAt(timeOf(i))
    if (codes[i] === STEP.valid) states = cellStep(node, arriving(timeOf(i)), states)
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
    const { states: old, x } = cellPullback(node, arriving(t), stateBefore(i))(pulled)
    pulled = { c: pulled.c, ...old }
    put(t, x)
  }
  return pulled
}

function add(a: Vector, b: Vector): Vector {
  return a.map((each, i) => each + b[i])
}

/** Nothing asked for yet: rows and steps that the output does not see cost nothing. */
function isZero({ h, c }: States): boolean {
  return h.every((each) => each === 0) && c.every((each) => each === 0)
}
