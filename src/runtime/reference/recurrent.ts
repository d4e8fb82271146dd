/** Layers with a state over whole sequences: rows, steps and masks. `cells.ts` computes a step. */

import type { RecurrentNode } from '../../model/types.ts'
import type { Named, Tensor } from '../../tensor.ts'
import { type Masks, repeatsState, STEP } from '../run/masks.ts'
import { cellStep, type States, stateSlots } from './cells.ts'
import { sequencesOf, tensorOf, type Vector, vectorsOf, zeros } from './vectors.ts'

/** What a recurrent layer needs to know of the run it is part of. */
export interface RecurrentContext {
  /** The state that a row starts from, by slot; zeros unless the caller gave one. */
  readonly initial: (slot: string, row: number) => Vector
  readonly final: (slot: string, row: number, state: Vector) => void
  /** Of the run; a layer's own `mask` or `lengths` go before them. */
  readonly masks: Masks | null
}

const initialPorts: Readonly<Record<string, string>> = { h: 'initialState', c: 'initialCell' }

/** The output of a step is always h. */
export function recurrentLayer(
  node: RecurrentNode,
  inputs: Named<Tensor>,
  context: RecurrentContext,
): Named<Tensor> {
  const [rows, steps] = inputs.x.shape
  const slots = stateSlots(node)
  const finals: Record<string, Vector[]> = Object.fromEntries(slots.map((slot) => [slot, []]))
  const last: Vector[] = []
  const sequence = sequencesOf(inputs.x).flatMap((xs, row) => {
    let states: States = Object.fromEntries(
      slots.map((slot) => {
        const given = inputs[initialPorts[slot]]
        const initial =
          given === undefined ? context.initial(slot, row) : vectorsOf(given, node.units)[row]
        return [slot, initial]
      }),
    )
    const asks = inputs.mask !== undefined
    let counted = asks && context.initial('seen', row)[0] !== 0
    const { codeAt, missing } = whichStepsCount(inputs, row, steps, context.masks, counted)
    const outputs = new Array<Vector>(steps)
    let output: Vector = zeros(node.units)
    for (let i = 0; i < steps; i++) {
      const t = node.direction === 'forward' ? i : steps - 1 - i
      const code = codeAt(t)
      if (code === STEP.valid) {
        states = cellStep(node, xs[t], states)
        output = states.h
        counted = true
      } else {
        // Skipped: the state stays, the output is the state or zeros.
        output = repeatsState(code, node.maskedOutput, missing) ? states.h : zeros(node.units)
      }
      outputs[t] = output
    }
    for (const slot of slots) {
      context.final(slot, row, states[slot])
      finals[slot].push(states[slot])
    }
    if (asks) context.final('seen', row, [Number(counted)])
    last.push(missing ? states.h : output)
    return outputs
  })
  const shape = [rows, node.units]
  return {
    sequence: tensorOf([rows, steps, node.units], sequence),
    last: tensorOf(shape, last),
    state: tensorOf(shape, finals.h),
    ...(finals.c && { cell: tensorOf(shape, finals.c) }),
  }
}

/**
 * The `STEP` code of each timestep of a row, asked in the order of computing; and whether steps are
 * missing rather than masked. The layer's own mask or lengths go before the caller's.
 * @param seen whether a step has counted before the first.
 */
export function whichStepsCount(
  { mask, lengths }: Named<Tensor>,
  row: number,
  steps: number,
  masks: Masks | null,
  seen = false,
): { readonly codeAt: (t: number) => number; readonly missing: boolean } {
  if (lengths !== undefined) {
    const length = lengths.data[row]
    return { codeAt: (t) => (t < length ? STEP.valid : STEP.empty), missing: true }
  }
  const counts = mask?.data ?? masks?.counts
  const missing = mask === undefined && masks !== null && masks.missing
  const codeAt = (t: number): number => {
    if (counts === undefined || counts[row * steps + t] !== 0) {
      seen = true
      return STEP.valid
    }
    return seen && !missing ? STEP.repeat : STEP.empty
  }
  return { codeAt, missing }
}
