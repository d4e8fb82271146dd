/** Rows and steps of a recurrent layer, cell by cell, in WebAssembly: the order of `js/steps.ts`. */

import type { RecurrentKernel } from '../../layer.ts'
import { padded } from '../../plan.ts'
import { type KernelFuncs, once, type RowFunc, type Site } from './kernel.ts'
import { advance, copyNumbers, type Pointer, pointer, writing } from './lanes.ts'
import { type CellFunc, writeSteps } from './steps.ts'

/** `writeSteps`, and a block that calls the cell for every row and step. */
export function writeCellwise(
  site: Site,
  kernel: RecurrentKernel,
  shape: object,
  write: () => CellFunc,
): KernelFuncs {
  const funcs = writeSteps(site, kernel, shape, write)
  return { ...funcs, block: once(() => writeBlock(site, kernel, funcs.cell())) }
}

function writeBlock({ module, plan, target }: Site, kernel: RecurrentKernel, cell: RowFunc) {
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
