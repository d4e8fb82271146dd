/** How a layer runs over the rows and steps of a frame, in WebAssembly. */

import type { Plan } from '../../plan.ts'
import type { Func } from '../assembler.ts'
import { type KernelFuncs, once, type Site } from './kernel.ts'
import { advance, type Lanes, type Pointer, pointer, repeatFor, writing } from './lanes.ts'

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
export type Write = (k: Lanes, at: readonly Pointer[]) => void

export interface Layer {
  readonly node: string
  readonly vectors: readonly Vectors[]
  readonly backward?: boolean
  /** What a row takes over when its sequence begins. */
  readonly arrive?: readonly Write[]
  /**
   * A step. All rows do one part before any does the next: what stands close together and does not
   * wait for each other, machines work on at once.
   */
  readonly parts: readonly Write[]
  /** What the last of the steps leaves. */
  readonly leave?: readonly Write[]
}

/** Runs a layer step by step: rows do not wait for each other, steps may. */
export function writeOverFrame({ module, target }: Site, layer: Layer): KernelFuncs {
  const { node, vectors, backward, arrive = [], parts, leave = [] } = layer
  const firstOf = (k: Lanes, where: 'step' | 'block', bases: Record<Vectors['from'], Pointer>) =>
    vectors.map((each) => pointer(k, bases[each.from], k.bytes * each[where]))
  const writeStep = () =>
    module.func({ name: `${node}: step`, params: ['i32', 'i32'] }, (f, frame, state) => {
      const k = writing(target, f)
      const at = firstOf(k, 'step', { frame, state })
      for (const write of [...parts, ...leave]) write(k, at)
    })
  const writeBlock = () =>
    module.func(
      { name: `${node}: block`, params: ['i32', 'i32', 'i32', 'i32', 'i32'] },
      (f, frame, state, rows, steps, start) => {
        const k = writing(target, f)
        const { i32, local } = f
        const first = firstOf(k, 'block', { frame, state })
        const eachRow = (write: Write): void => {
          const at = first.map((each) => pointer(k, each))
          repeatFor(k, rows, () => {
            write(k, at)
            at.forEach((each, i) => advance(k, each, k.bytes * vectors[i].perRow))
          })
        }
        const bytesPerStep = vectors.map(({ perStep }) => (backward ? -1 : 1) * k.bytes * perStep)
        for (const write of arrive) f.if(start, () => eachRow(write))
        if (backward) {
          const before = pointer(k, steps, -1)
          first.forEach((each, i) =>
            local.set(each, i32.sub(each, i32.mul(before, bytesPerStep[i]))),
          )
        }
        repeatFor(k, steps, () => {
          parts.forEach(eachRow)
          first.forEach((each, i) => advance(k, each, bytesPerStep[i]))
        })
        leave.forEach(eachRow)
      },
    )
  return { step: once(writeStep), block: once(writeBlock) }
}

/** A layer that carries nothing from step to step: from the values before it to those behind it. */
export function writeVectorLayer(
  site: Site,
  node: string,
  values: readonly number[],
  layer: Func<readonly 'i32'[], undefined>,
): KernelFuncs {
  return writeOverFrame(site, {
    node,
    vectors: values.map((value) => valueAt(site.plan, value)),
    parts: [(k, at) => k.f.call(layer, ...at)],
  })
}
