/** Writes recurrent layers over rows and steps, cell by cell, in either direction, wherever their ports lead. */

import type { RecurrentKernel } from '../../plan/kernels.ts'
import { type Plan, padded } from '../../plan/types.ts'
import type { CodegenContext, Entry, Routine } from './context.ts'
import { copyNumbers, type Emitter, type Pointer, pointer } from './emitter.ts'
import {
  type LoopNest,
  scratchAt,
  stateAt,
  type Vectors,
  valueAt,
  type Write,
  writeLoopNest,
} from './loop-nest.ts'

/**
 * Where one step of one row is computed: from x and h, which stay, to `out`, which is neither. `own`
 * is the cell of an LSTM, which changes in place, and in other layers scratch.
 */
export type CellVectors = Readonly<Record<'x' | 'h' | 'out' | 'own', Pointer>>

/** The cell of a layer: one step of one row, in one part or several (`LoopNest.parts`). */
export interface Cell {
  readonly parts: readonly ((k: Emitter, at: CellVectors) => void)[]
  /** Numbers of scratch that go from part to part. */
  readonly scratch: number
}

/** Where the vectors of a cell stand among those of its layer. */
const [X, OUT, H, OWN] = [0, 1, 2, 3]

export function writeRecurrent(
  context: CodegenContext,
  kernel: RecurrentKernel,
  cell: Cell,
  entry: Entry,
): Routine {
  if (entry === 'cell') return writeCell(context, kernel, cell)
  return writeLoopNest(context, loopNestOf(context.plan, kernel, cell), entry)
}

/** The cell alone, for JavaScript that goes through rows and steps itself (`mixed.ts`). */
function writeCell({ func }: CodegenContext, kernel: RecurrentKernel, { parts }: Cell): Routine {
  return func(`${kernel.kind}: cell`, (k, x, h, out, scratch, states) => {
    const own = kernel.cell === undefined ? scratch : pointer(k, states, k.bytes * kernel.cell)
    for (const part of parts) part(k, { x, h, out, own })
  })
}

function loopNestOf(plan: Plan, kernel: RecurrentKernel, cell: Cell): LoopNest {
  /** A number for each unit, from one vector of the layer to another. */
  const copy =
    (to: number, from: number): Write =>
    (k, at) =>
      copyNumbers(k, at[to], at[from], padded(kernel.units))
  const ends = [kernel.last, kernel.finalState].filter((value) => value >= 0)
  const vectors: Vectors[] = [
    valueAt(plan, kernel.x),
    valueAt(plan, kernel.sequence),
    stateAt(plan, kernel.state),
    kernel.cell === undefined ? scratchAt(plan, cell.scratch) : stateAt(plan, kernel.cell),
    ...ends.map((value) => valueAt(plan, value)),
  ]
  // Every step counts here, so the last output is the state.
  const leave = ends.map((_, i) => copy(OWN + 1 + i, H))
  /** The index among the vectors of a value that is there. */
  const add = (value: number | undefined): readonly number[] =>
    value === undefined ? [] : [vectors.push(valueAt(plan, value)) - 1]
  const arrivals = [
    ...add(kernel.initialState).map((value) => copy(H, value)),
    ...add(kernel.initialCell).map((value) => copy(OWN, value)),
  ]
  leave.push(...add(kernel.finalCell).map((value) => copy(value, OWN)))
  const forward = kernel.direction === 'forward'
  return {
    kind: kernel.kind,
    vectors: forward ? vectors : vectors.map(backward),
    begin(k, first, steps, starts, eachRow) {
      for (const write of arrivals) k.f.if(starts, () => eachRow(write))
      if (forward) return
      const { i32, local } = k.f
      const before = pointer(k, steps, -1)
      vectors.forEach(({ perStep }, i) => {
        if (perStep !== 0)
          local.set(first[i], i32.add(first[i], i32.mul(before, k.bytes * perStep)))
      })
    },
    parts: cell.parts.map((part, i) => (k, at) => {
      part(k, { x: at[X], h: at[H], out: at[OUT], own: at[OWN] })
      if (i === cell.parts.length - 1) copy(H, OUT)(k, at)
    }),
    leave,
  }
}

/** From the last step to the first. */
function backward(each: Vectors): Vectors {
  return { ...each, perStep: -each.perStep }
}
