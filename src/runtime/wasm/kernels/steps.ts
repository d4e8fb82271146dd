/**
 * Recurrent layers over time, in WebAssembly: which cell runs where. The order of rows, steps and
 * copies is that of `js/steps.ts`.
 */

import type { RecurrentKernel } from '../../layer.ts'
import { padded } from '../../plan.ts'
import type { Func } from '../assembler.ts'
import type { KernelFuncs, Site } from './kernel.ts'
import { advance, copyNumbers, type Pointer, pointer, writing } from './lanes.ts'

/**
 * One step of one row: (panels, biases, x, h, out, own) reads x and h, and writes h' to `out`, which
 * is neither. `own` is the cell of an LSTM, which changes in place, and in other layers scratch.
 */
export type CellFunc = Func<readonly ['i32', 'i32', 'i32', 'i32', 'i32', 'i32'], undefined>

/** @param shape all that the cell's code depends on. */
export function writeSteps(
  site: Site,
  kernel: RecurrentKernel,
  shape: object,
  write: () => CellFunc,
): KernelFuncs {
  const shared = site.shared(`cell ${kernel.kind} ${JSON.stringify(shape)}`, write)
  const { bytes } = site.target
  const [panels, biases] = [bytes * kernel.panels, bytes * kernel.biases]
  const cell = site.module.func(
    { name: `${kernel.node}: cell`, params: ['i32', 'i32', 'i32', 'i32', 'i32'] },
    ({ call, i32 }, x, h, out, scratch, states) => {
      const own = kernel.cell < 0 ? scratch : i32.add(states, bytes * kernel.cell)
      return call(shared, panels, biases, x, h, out, own)
    },
  )
  return { cell, step: writeStep(site, kernel, cell), block: writeBlock(site, kernel, cell) }
}

type Cell = NonNullable<KernelFuncs['cell']>

function writeStep({ module, plan, target }: Site, kernel: RecurrentKernel, cell: Cell) {
  const { offsets, scratch } = plan.step
  const lanes = padded(kernel.units)
  return module.func(
    { name: `${kernel.node}: step`, params: ['i32', 'i32'] },
    (f, frame, state) => {
      const k = writing(target, f)
      const at = (offset: number): Pointer => pointer(k, frame, k.bytes * offset)
      const h = pointer(k, state, k.bytes * kernel.state)
      const out = at(offsets[kernel.sequence])
      f.call(cell, at(offsets[kernel.x]), h, out, at(scratch), state)
      copyNumbers(k, h, out, lanes)
      for (const value of [kernel.last, kernel.finalState]) {
        if (value >= 0) copyNumbers(k, at(offsets[value]), out, lanes)
      }
      if (kernel.finalCell >= 0) {
        const c = pointer(k, state, k.bytes * kernel.cell)
        copyNumbers(k, at(offsets[kernel.finalCell]), c, lanes)
      }
    },
  )
}

function writeBlock({ module, plan, target }: Site, kernel: RecurrentKernel, cell: Cell) {
  const { offsets, scratch, steps: most } = plan.block
  const lanes = padded(kernel.units)
  const way = kernel.direction === 'forward' ? 1 : -1
  const [xBytes, outBytes] = [padded(kernel.features), lanes].map((n) => target.bytes * n)
  return module.func(
    { name: `${kernel.node}: block`, params: ['i32', 'i32', 'i32', 'i32', 'i32'] },
    (f, frame, state, rows, steps, start) => {
      const k = writing(target, f)
      const { i32, local } = f
      const at = (offset: number): Pointer => pointer(k, frame, k.bytes * offset)
      const [xRow, outRow, free] = [
        at(offsets[kernel.x]),
        at(offsets[kernel.sequence]),
        at(scratch),
      ]
      const [own, c] = [kernel.state, kernel.cell].map((slot) => pointer(k, state, k.bytes * slot))
      // What a row takes over when its sequence begins, and what it leaves: every step counts here,
      // so the last output is the state.
      const begins = [
        [kernel.initialState, own],
        [kernel.initialCell, c],
      ] as const
      const ends = [
        [kernel.last, own],
        [kernel.finalState, own],
        [kernel.finalCell, c],
      ] as const
      const known = (list: typeof begins | typeof ends): (readonly [Pointer, Pointer])[] =>
        list.flatMap(([value, slot]) => (value < 0 ? [] : [[at(offsets[value]), slot] as const]))
      const [arriving, leaving] = [known(begins), known(ends)]
      const [x, h, out, left] = [local('i32'), local('i32'), local('i32'), local('i32')]
      f.loop((nextRow) => {
        for (const [value, slot] of arriving) {
          f.if(start, () => copyNumbers(k, slot, value, lanes))
          advance(k, value, outBytes)
        }
        local.set(x, xRow)
        local.set(out, outRow)
        if (way < 0) {
          local.set(x, i32.add(x, i32.mul(i32.sub(steps, 1), xBytes)))
          local.set(out, i32.add(out, i32.mul(i32.sub(steps, 1), outBytes)))
        }
        local.set(h, own)
        local.set(left, steps)
        f.loop((nextStep) => {
          f.call(cell, x, h, out, free, state)
          local.set(h, out)
          advance(k, x, way * xBytes)
          advance(k, out, way * outBytes)
          f.br_if(nextStep, local.tee(left, i32.sub(left, 1)))
        })
        copyNumbers(k, own, h, lanes)
        for (const [value, slot] of leaving) {
          copyNumbers(k, value, slot, lanes)
          advance(k, value, outBytes)
        }
        advance(k, xRow, most * xBytes)
        advance(k, outRow, most * outBytes)
        for (const slot of [state, own, c]) advance(k, slot, k.bytes * plan.stateStride)
        f.br_if(nextRow, local.tee(rows, i32.sub(rows, 1)))
      })
    },
  )
}
