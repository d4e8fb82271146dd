/** Recurrent layers over rows and steps, cell by cell, in WebAssembly. */

import type { RecurrentKernel } from '../../layer.ts'
import { padded } from '../../plan.ts'
import type { Func } from '../assembler.ts'
import type { KernelFuncs, Site } from './kernel.ts'
import { copyNumbers, type Lanes, type Pointer } from './lanes.ts'
import { scratchAt, stateAt, valueAt, writeOverFrame } from './over-frame.ts'

/**
 * One step of one row: (panels, biases, x, h, out, own) reads x and h, and writes h' to `out`, which
 * is neither. `own` is the cell of an LSTM, which changes in place, and in other layers scratch.
 */
export type CellFunc = Func<readonly ['i32', 'i32', 'i32', 'i32', 'i32', 'i32'], undefined>

/** The cell of a layer, which all layers of its shape share. */
export type CellOf<K extends RecurrentKernel> = (site: Site, kernel: K) => CellFunc

export function writeRecurrent<K extends RecurrentKernel>(
  site: Site,
  kernel: K,
  cellOf: CellOf<K>,
): KernelFuncs {
  const { plan, target } = site
  const { cell, direction, node, sequence, state, units, x } = kernel
  const step = cellOf(site, kernel)
  const [panels, biases] = [kernel.panels, kernel.biases].map((at) => target.bytes * at)
  const [H, OWN] = [2, 3]
  // Every step counts here, so the last output is the state.
  const [begins, ends] = [
    [
      [kernel.initialState, H],
      [kernel.initialCell, OWN],
    ],
    [
      [kernel.last, H],
      [kernel.finalState, H],
      [kernel.finalCell, OWN],
    ],
  ].map((list) => list.filter(([value]) => value >= 0))
  const copy = (k: Lanes, to: Pointer, from: Pointer): void =>
    copyNumbers(k, to, from, padded(units))
  return writeOverFrame(site, {
    node,
    backward: direction === 'backward',
    vectors: [
      valueAt(plan, x),
      valueAt(plan, sequence),
      stateAt(plan, state),
      cell < 0 ? scratchAt(plan) : stateAt(plan, cell),
      ...[...begins, ...ends].map(([value]) => valueAt(plan, value)),
    ],
    ...(begins.length > 0 && {
      arrive: (k, at) => begins.forEach(([, slot], i) => copy(k, at[slot], at[4 + i])),
    }),
    each(k, [x, out, h, own]) {
      k.f.call(step, panels, biases, x, h, out, own)
      copy(k, h, out)
    },
    ...(ends.length > 0 && {
      leave: (k, at) =>
        ends.forEach(([, slot], i) => copy(k, at[4 + begins.length + i], at[slot])),
    }),
  })
}
