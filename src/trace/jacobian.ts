/**
 * Computes how the state of a recurrent layer depends on an earlier state: ∂h_t/∂h_{t−k}, by the
 * chain rule through every step between, exact in float64.
 */

import type { Model } from '../model/types.ts'
import { cellStep, type States, stateSlots } from '../runtime/reference/cells.ts'
import { whichStepsCount } from '../runtime/reference/recurrent.ts'
import { STEP } from '../runtime/run/masks.ts'
import type { Named, Tensor, TensorLike, WithNames } from '../tensor.ts'
import { cellPullback, type Pullback } from './pullback.ts'
import { checkRange } from './range.ts'
import {
  type RecurrentInputs,
  recurrentInputs,
  type StateAndMaskOptions,
} from './recurrent-inputs.ts'

export interface StateJacobianOptions extends StateAndMaskOptions {
  /** The name of a recurrent layer. */
  readonly layer: string
  /** k, the number of steps between, in the order of computing: from 1 to the steps before t. */
  readonly back: number
  /** t, a timestep; default: the last one computed. */
  readonly at?: number
  /** Of the batch; default 0. */
  readonly row?: number
}

/**
 * ∂(state after step t)/∂(state after the step `back` steps before), by slots: `h.h` is
 * ∂h_t/∂h_{t−k}, in an LSTM with c_{t−k} held constant; `h.c` is ∂h_t/∂c_{t−k}. Each is
 * [units, units]; row i has the derivatives of unit i. One step before the first is the initial
 * state. Masked steps pass the state on unchanged.
 * @throws GruvError `not-found` for a layer, `bad-argument` for steps that do not exist.
 */
export function stateJacobian(
  model: Model,
  x: TensorLike | Named<TensorLike>,
  options: StateJacobianOptions,
): WithNames<'h', WithNames<'h', Tensor>> {
  const [layer] = recurrentInputs(model, x, [options.layer], options)
  const { node } = layer
  const rows = startingRows(layer)
  for (const pullback of pullbacks(layer, options)) pullRows(rows, pullback)
  const slots = stateSlots(node)
  const block = (of: number, by: string): Tensor => ({
    shape: [node.units, node.units],
    data: Float64Array.from(
      rows.slice(of * node.units, (of + 1) * node.units).flatMap((row) => row[by]),
    ),
  })
  const blocks: Named<Named<Tensor>> = Object.fromEntries(
    slots.map((slot, i) => [slot, Object.fromEntries(slots.map((by) => [by, block(i, by)]))]),
  )
  // Every recurrent layer has h; c is an LSTM's.
  return blocks as WithNames<'h', WithNames<'h', Tensor>>
}

/**
 * How strongly h_t depends on h_{t−k}, for k = 1 … `back`: the root mean square of the singular
 * values of ∂h_t/∂h_{t−k}, its Frobenius norm divided by √units. 1 where the state is carried
 * over unchanged, 0 where nothing of it is left (Pascanu, Mikolov and Bengio 2013,
 * arXiv:1211.5063, on why this product of Jacobians vanishes or explodes).
 * @returns element k − 1 for k.
 */
export function stateInfluence(
  model: Model,
  x: TensorLike | Named<TensorLike>,
  options: StateJacobianOptions,
): Float64Array {
  const [layer] = recurrentInputs(model, x, [options.layer], options)
  const { units } = layer.node
  const rows = startingRows(layer).slice(0, units)
  return Float64Array.from(pullbacks(layer, options), (pullback) => {
    pullRows(rows, pullback)
    let squares = 0
    for (const { h } of rows) for (const each of h) squares += each * each
    return Math.sqrt(squares / units)
  })
}

/** The rows of the identity: the derivatives of the states with respect to themselves. */
function startingRows({ node }: RecurrentInputs): States[] {
  const slots = stateSlots(node)
  return slots.flatMap((of) =>
    Array.from({ length: node.units }, (_, i) =>
      Object.fromEntries(
        slots.map((by) => [
          by,
          Array.from({ length: node.units }, (_, j) => Number(of === by && i === j)),
        ]),
      ),
    ),
  )
}

function pullRows(rows: States[], pullback: Pullback | null): void {
  if (pullback === null) return
  rows.forEach((row, i) => {
    rows[i] = pullback(row).states
  })
}

/** Backwards from step t; null for a step that is masked. */
function pullbacks(
  { node, inputs, masks, initial, vectorAt }: RecurrentInputs,
  { back, at, row = 0 }: StateJacobianOptions,
): readonly (Pullback | null)[] {
  const [rows, steps] = inputs.x.shape
  const forward = node.direction === 'forward'
  const t = at ?? (forward ? steps - 1 : 0)
  checkRange('row', row, 0, rows - 1)
  checkRange('at', t, 0, steps - 1)
  /** How many steps are computed up to t. */
  const count = forward ? t + 1 : steps - t
  checkRange('back', back, 1, count)
  const { codeAt } = whichStepsCount(inputs, row, steps, masks)
  let states = initial(row)
  const found: (Pullback | null)[] = []
  for (let i = 0; i < count; i++) {
    const time = forward ? i : steps - 1 - i
    const arriving = vectorAt(row, time)
    const counts = codeAt(time) === STEP.valid
    if (i >= count - back) found.push(counts ? cellPullback(node, arriving, states) : null)
    if (counts) states = cellStep(node, arriving, states)
  }
  return found.reverse()
}
