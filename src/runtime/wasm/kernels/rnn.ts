/** One step of a simple RNN in WebAssembly, with the weights and the order of `js/rnn.ts`. */

import type { RnnKernel } from '../../layers/rnn.ts'
import { activate } from './activations.ts'
import { limited, overUnits, rowsOf, starts, sumsOf } from './cell.ts'
import type { Routine, Site } from './kernel.ts'
import { accumulate, pointer, VECTOR } from './lanes.ts'
import type { Cell } from './recurrent.ts'

/** What a cell depends on. */
type CellShape = Pick<RnnKernel, 'features' | 'units' | 'activation' | 'clip'>

export function rnnCell(site: Site, kernel: RnnKernel): Cell {
  const { features, units, activation, clip } = kernel
  const shape = { features, units, activation, clip }
  const cell = writeCell(site, shape)
  const [panels, biases] = [kernel.panels, kernel.biases].map((at) => site.target.bytes * at)
  return { parts: [(k, { x, h, out }) => k.f.call(cell, panels, biases, x, h, out)], scratch: 0 }
}

/** (panels, biases, x, h, out) */
function writeCell({ func }: Site, shape: CellShape): Routine {
  return func(`rnn ${shape.features} to ${shape.units}`, (k, panels, biases, x, h, out) =>
    overUnits(k, rowsOf(shape), 1, panels, (block) => {
      const [w, xi, hi] = [block.w, x, h].map((start) => pointer(block, start))
      const [b, to] = [biases, out].map(block.part)
      const a = starts(block, b, 0)
      accumulate(block, sumsOf(block, [a], 0), w, block.row, [xi], shape.features)
      accumulate(block, sumsOf(block, [a], 0), w, block.row, [hi], shape.units)
      for (const v of block.all) {
        const h1 = activate(block, shape.activation, limited(block, a[v], shape.clip))
        k.f.v128.store(v * VECTOR, to, h1)
      }
    }),
  )
}
