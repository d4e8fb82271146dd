/** Writes the loops in which a layer runs over the rows and steps of a frame. */

import type { Plan } from '../../plan/types.ts'
import type { CodegenContext, Entry, Routine } from './context.ts'
import { advance, type Emitter, type Pointer, pointer, repeatFor } from './emitter.ts'

/** The vectors of one kind that a layer meets, one at each step of each row. In elements. */
export interface Vectors {
  readonly from: 'frame' | 'state'
  /** Where the first of them lies: in a stream, which has one row and one step, and in a block. */
  readonly step: number
  readonly block: number
  readonly perStep: number
  readonly perRow: number
}

/** A value of the graph, by its index. */
export function valueAt({ values, step, block }: Plan, value: number): Vectors {
  const { stride, overTime } = values[value]
  return {
    from: 'frame',
    step: step.offsets[value],
    block: block.offsets[value],
    perStep: overTime ? stride : 0,
    perRow: overTime ? block.steps * stride : stride,
  }
}

/** What a row carries from step to step. */
export function stateAt({ stateStride }: Plan, offset: number): Vectors {
  return { from: 'state', step: offset, block: offset, perStep: 0, perRow: stateStride }
}

/** Scratch: so many numbers for each row, which a layer uses within one step. */
export function scratchAt({ step, block }: Plan, perRow: number): Vectors {
  return { from: 'frame', step: step.scratch, block: block.scratch, perStep: 0, perRow }
}

/** Writes code for one row, at the vectors of a step. */
export type Write = (k: Emitter, at: readonly Pointer[]) => void

export interface LoopNest {
  readonly kind: string
  readonly vectors: readonly Vectors[]
  /** Before the first step: moves to where it is, at `first`, and does what a sequence begins with. */
  readonly begin?: (
    k: Emitter,
    first: readonly Pointer[],
    steps: Pointer,
    /** Whether a sequence begins. */
    starts: Pointer,
    eachRow: (write: Write) => void,
  ) => void
  /**
   * A step. All rows do one part before any does the next: what stands close together and does not
   * wait for each other, machines work on at once.
   */
  readonly parts: readonly Write[]
  /** What the last of the steps leaves. */
  readonly leave?: readonly Write[]
}

/** Runs a layer step by step: rows do not wait for each other, steps may. */
export function writeLoopNest(
  { func, config: { bytes } }: CodegenContext,
  { kind, vectors, begin, parts, leave = [] }: LoopNest,
  entry: Entry,
): Routine {
  const firstOf = (
    k: Emitter,
    where: 'step' | 'block',
    frame: Pointer,
    state: Pointer,
  ): Pointer[] =>
    vectors.map((each) => pointer(k, each.from === 'frame' ? frame : state, bytes * each[where]))
  if (entry === 'step')
    return func(`${kind}: step`, (k, frame, state) => {
      const at = firstOf(k, 'step', frame, state)
      for (const write of [...parts, ...leave]) write(k, at)
    })
  return func(`${kind}: block`, (k, frame, state, rows, steps, starts) => {
    const first = firstOf(k, 'block', frame, state)
    const eachRow = (write: Write): void => {
      const at = first.map((each) => pointer(k, each))
      repeatFor(k, rows, () => {
        write(k, at)
        at.forEach((each, i) => advance(k, each, bytes * vectors[i].perRow))
      })
    }
    begin?.(k, first, steps, starts, eachRow)
    repeatFor(k, steps, () => {
      parts.forEach(eachRow)
      first.forEach((each, i) => advance(k, each, bytes * vectors[i].perStep))
    })
    leave.forEach(eachRow)
  })
}

/** A layer that carries nothing from step to step: `layer` takes the values' vectors of one step. */
export function writeVectorLayer(
  context: CodegenContext,
  kind: string,
  values: readonly number[],
  layer: Routine,
  entry: Entry,
): Routine {
  const vectors = values.map((value) => valueAt(context.plan, value))
  return writeLoopNest(
    context,
    { kind, vectors, parts: [(k, at) => k.f.call(layer, ...at)] },
    entry,
  )
}
