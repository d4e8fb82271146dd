/**
 * Changes of a run by mistakes around the model: in the axes, the order or the state.
 *
 * Each change says how the model sees the inputs and how its outputs return to the caller. Expected
 * data is rearranged in the same way, so a search compares without running anything twice.
 */

import type { Named, Tensor } from '../tensor.ts'

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

/** Tensors [rows, steps, width] as the model sees them; those without steps stay, row by row. */
export function inputsForModel(
  change: RunChange,
  inputs: Named<Tensor>,
  caller: Extents,
): Named<Tensor> {
  const there = change.extents(caller)
  return Object.fromEntries(
    Object.entries(inputs).map(([name, tensor]) => {
      if (tensor.shape.length !== 3) return [name, tensor]
      return [name, move(tensor, there, caller, change.input, 'there')]
    }),
  )
}

/** An output [rows, steps, width] of the model as the caller sees it. */
export function outputForCaller(change: RunChange, output: Tensor, caller: Extents): Tensor {
  return move(output, caller, caller, change.output, 'back')
}

function move(
  { data, shape }: Tensor,
  target: Extents,
  caller: Extents,
  place: RunChange['input'],
  way: 'there' | 'back',
): Tensor {
  const width = shape[2]
  const steps = shape[1]
  const moved = data.slice()
  for (let row = 0; row < caller.rows; row++) {
    for (let t = 0; t < caller.steps; t++) {
      const [otherRow, otherT] = place(row, t, caller)
      const from = way === 'there' ? row * steps + t : otherRow * steps + otherT
      const to = way === 'there' ? otherRow * target.steps + otherT : row * target.steps + t
      moved.set(data.subarray(from * width, (from + 1) * width), to * width)
    }
  }
  return { shape: [target.rows, target.steps, width], data: moved }
}
