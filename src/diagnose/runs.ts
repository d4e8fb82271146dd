/**
 * Changes of a run by mistakes around the model: in the axes, the order or the state.
 *
 * Each change says how the model sees the inputs and how its outputs return to the caller. Expected
 * data is rearranged in the same way, so a search compares without running anything twice.
 */

import { emptyLike } from '../model/axes.ts'
import type { MaskOptions, Masks } from '../runtime/run/masks.ts'
import { type Named, sizeOf, type Tensor } from '../tensor.ts'

/** How many sequences of how many steps. */
export interface Extents {
  readonly rows: number
  readonly steps: number
}

/**
 * A change of a run. It maps the caller's (row, step) to the model's, which is enough to rearrange
 * inputs for the model and outputs for the caller.
 */
export interface RunChange {
  readonly extents: (caller: Extents) => Extents
  /** The model's (row, t) for the caller's; inputs and outputs may be mapped differently. */
  readonly input: (row: number, t: number, caller: Extents) => readonly [number, number]
  readonly output: (row: number, t: number, caller: Extents) => readonly [number, number]
  /** Whether it changes anything for such a run; this depends on whether outputs run over time. */
  readonly applies: (caller: Extents, overTime: boolean) => boolean
  readonly initialState?: 'dropped'
  /** The caller's row whose initial state a row of the model starts from; default: the same row. */
  readonly startsAs?: (row: number, caller: Extents) => number
  /** The change where no output runs over time, if it is another one. */
  readonly timeless?: RunChange
  /** Whether steps of zeros fill up the end, which only layers that run forward do not see. */
  readonly fillsUp?: (caller: Extents) => boolean
}

const straight = (row: number, t: number): readonly [number, number] => [row, t]
const turned = (row: number, t: number, { steps }: Extents): readonly [number, number] => [
  row,
  steps - 1 - t,
]
const same = (caller: Extents): Extents => caller

export const reversed: RunChange = {
  extents: same,
  input: turned,
  output: straight,
  applies: ({ steps }) => steps > 1,
}

export const backwards: RunChange = {
  extents: same,
  input: turned,
  output: turned,
  applies: ({ steps }, overTime) => steps > 1 && overTime,
}

export const timeBatchSwapped: RunChange = {
  extents: ({ rows, steps }) => ({ rows: steps, steps: rows }),
  input: (row, t) => [t, row],
  output: (row, t) => [t, row],
  applies: ({ rows, steps }, overTime) => overTime && rows > 1 && steps > 1,
}

export const stateless: RunChange = {
  extents: ({ rows, steps }) => ({ rows: rows * steps, steps: 1 }),
  input: (row, t, { steps }) => [row * steps + t, 0],
  output: (row, t, { steps }) => [row * steps + t, 0],
  applies: ({ steps }) => steps > 1,
  startsAs: (row, { steps }) => Math.floor(row / steps),
}

export const stateCarriedOverRows: RunChange = {
  extents: ({ rows, steps }) => ({ rows: 1, steps: rows * steps }),
  input: (row, t, { steps }) => [0, row * steps + t],
  output: (row, t, { steps }) => [0, row * steps + t],
  applies: ({ rows }, overTime) => rows > 1 && overTime,
}

export const initialStateIgnored: RunChange = {
  extents: same,
  input: straight,
  output: straight,
  applies: () => true,
  initialState: 'dropped',
}

/** The state set back every `count` steps: each piece of a sequence is a row of its own. */
export function stateReset(count: number): RunChange {
  const pieces = ({ steps }: Extents): number => Math.ceil(steps / count)
  const place: RunChange['output'] = (row, t, caller) => [
    row * pieces(caller) + Math.floor(t / count),
    t % count,
  ]
  const applies: RunChange['applies'] = ({ steps }) => count >= 1 && count < steps
  const lastPiece = ({ steps }: Extents): number => ((steps - 1) % count) + 1
  return {
    extents: (caller) => ({ rows: caller.rows * pieces(caller), steps: count }),
    input: place,
    output: place,
    applies,
    startsAs: (row, caller) => Math.floor(row / pieces(caller)),
    fillsUp: ({ steps }) => steps % count !== 0,
    // What comes after the last step depends on the last piece alone.
    timeless: {
      extents: (caller) => ({ rows: caller.rows, steps: lastPiece(caller) }),
      input: (row, t, caller) => [row, t - (caller.steps - lastPiece(caller))],
      output: (row, _, caller) => [row, lastPiece(caller) - 1],
      applies,
    },
  }
}

/** Tensors over time, [rows, steps, ...], as the model sees them; others stay as they are. */
export function inputsForModel(
  change: RunChange,
  inputs: Named<Tensor>,
  caller: Extents,
  timed: ReadonlySet<string>,
): Named<Tensor> {
  return Object.fromEntries(
    Object.entries(inputs).map(([name, tensor]) => [
      name,
      timed.has(name) ? forModel(change, tensor, caller) : tensor,
    ]),
  )
}

/** A tensor [rows, steps, ...] of the caller's as the model sees it. */
function forModel(change: RunChange, { data, shape }: Tensor, caller: Extents): Tensor {
  const there = change.extents(caller)
  const width = sizeOf(shape.slice(2))
  const moved = emptyLike({ data, shape }, there.rows * there.steps * width)
  for (let row = 0; row < caller.rows; row++) {
    for (let t = 0; t < caller.steps; t++) {
      const [otherRow, otherT] = change.input(row, t, caller)
      // Steps before the first are not seen.
      if (otherT < 0) continue
      const from = (row * caller.steps + t) * width
      moved.set(data.subarray(from, from + width), (otherRow * there.steps + otherT) * width)
    }
  }
  return { shape: [there.rows, there.steps, ...shape.slice(2)], data: moved }
}

/** Initial states for the rows of the model. */
export function statesForModel(
  change: RunChange,
  states: ReadonlyMap<string, Tensor>,
  caller: Extents,
): ReadonlyMap<string, Tensor> | null {
  const { rows } = change.extents(caller)
  const entries: (readonly [string, Tensor])[] = []
  for (const [name, state] of states) {
    if (state.shape.length === 1 || rows === caller.rows) entries.push([name, state])
    else if (change.startsAs === undefined) return null
    else {
      const size = state.shape[1]
      const data = emptyLike(state, rows * size)
      for (let row = 0; row < rows; row++) {
        const from = change.startsAs(row, caller) * size
        data.set(state.data.subarray(from, from + size), row * size)
      }
      entries.push([name, { shape: [rows, size], data }])
    }
  }
  return new Map(entries)
}

/** Which steps count, for the model; null where lengths would no longer end a sequence early. */
export function masksForModel(change: RunChange, masks: Masks, caller: Extents): Masks | null {
  const { rows, steps } = caller
  const there = change.extents(caller)
  const { data: counts } = forModel(change, { shape: [rows, steps], data: masks.counts }, caller)
  if (!masks.missing) return { counts, missing: false }
  for (let i = 1; i < counts.length; i++)
    if (i % there.steps > 0 && counts[i] > counts[i - 1]) return null
  return { counts, missing: true }
}

/** Masks as options of a run. */
export function masksAsOptions({ counts, missing }: Masks, { rows, steps }: Extents): MaskOptions {
  if (!missing) return { mask: { shape: [rows, steps], data: counts } }
  const lengths = Array.from(
    { length: rows },
    (_, row) => Array.from(counts.subarray(row * steps, (row + 1) * steps)).filter(Boolean).length,
  )
  return { lengths }
}

/** An output [rows, steps, units] of the model as the caller sees it. */
export function outputForCaller(
  change: RunChange,
  { data, shape }: Tensor,
  caller: Extents,
  overTime: boolean,
): Tensor {
  const [, steps, width] = shape
  const count = overTime ? caller.steps : 1
  const moved = emptyLike({ data, shape }, caller.rows * count * width)
  for (let row = 0; row < caller.rows; row++) {
    for (let i = 0; i < count; i++) {
      const t = overTime ? i : caller.steps - 1
      const [otherRow, otherT] = change.output(row, t, caller)
      const from = (otherRow * steps + (overTime ? otherT : 0)) * width
      moved.set(data.subarray(from, from + width), (row * count + i) * width)
    }
  }
  return { shape: [caller.rows, count, width], data: moved }
}
