/**
 * Recurrent layers over time, in WebAssembly: which cell runs where. The order of rows, steps and
 * copies is that of `js/steps.ts`.
 */

import type { RecurrentKernel } from '../../layer.ts'
import { padded } from '../../plan.ts'
import type { Func } from '../assembler.ts'
import { type KernelFuncs, once, type RowFunc, type Site } from './kernel.ts'
import { copyNumbers, type Pointer, pointer, writing } from './lanes.ts'

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
): Pick<Required<KernelFuncs>, 'step' | 'cell'> {
  const { bytes } = site.target
  const [panels, biases] = [bytes * kernel.panels, bytes * kernel.biases]
  const cell = once(() => {
    const shared = site.shared(`cell ${kernel.kind} ${JSON.stringify(shape)}`, write)
    return site.module.func(
      { name: `${kernel.node}: cell`, params: ['i32', 'i32', 'i32', 'i32', 'i32'] },
      ({ call, i32 }, x, h, out, scratch, states) => {
        const own = kernel.cell < 0 ? scratch : i32.add(states, bytes * kernel.cell)
        return call(shared, panels, biases, x, h, out, own)
      },
    )
  })
  return { cell, step: once(() => writeStep(site, kernel, cell())) }
}

function writeStep({ module, plan, target }: Site, kernel: RecurrentKernel, cell: RowFunc) {
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
