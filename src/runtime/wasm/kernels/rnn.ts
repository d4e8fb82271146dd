/** One step of a simple RNN in WebAssembly, with the weights and the order of `js/rnn.ts`. */

import type { RnnKernel } from '../../plan/kernels.ts'
import { activate } from './activations.ts'
import { limited, overUnits, rowsOf, starts, sumsOf } from './cell.ts'
import type { CodegenContext, Entry, Routine } from './context.ts'
import { accumulate, pointer, VECTOR } from './emitter.ts'
import { type Cell, writeRecurrent } from './recurrent.ts'

/** What a cell depends on. */
type CellShape = Pick<RnnKernel, 'features' | 'units' | 'activation' | 'clip'>

export function writeRnn(context: CodegenContext, kernel: RnnKernel, entry: Entry): Routine {
  return writeRecurrent(context, kernel, rnnCell(context, kernel), entry)
}

function rnnCell(context: CodegenContext, kernel: RnnKernel): Cell {
  const cell = writeCell(context, kernel)
  const [panels, biases] = [kernel.panels, kernel.biases].map((at) => context.config.bytes * at)
  return { parts: [(k, { x, h, out }) => k.f.call(cell, panels, biases, x, h, out)], scratch: 0 }
}

/** (panels, biases, x, h, out) */
function writeCell({ func }: CodegenContext, shape: CellShape): Routine {
  return func(`rnn ${shape.features} to ${shape.units}`, (k, panels, biases, x, h, out) =>
    overUnits(k, rowsOf(shape), 1, panels, (strip) => {
      const [w, xi, hi] = [strip.w, x, h].map((start) => pointer(strip, start))
      const [b, to] = [biases, out].map(strip.part)
      const a = starts(strip, b, 0)
      accumulate(strip, sumsOf(strip, [a], 0), w, strip.row, [xi], shape.features)
      accumulate(strip, sumsOf(strip, [a], 0), w, strip.row, [hi], shape.units)
      for (const v of strip.all) {
        const h1 = activate(strip, shape.activation, limited(strip, a[v], shape.clip))
        k.f.v128.store(v * VECTOR, to, h1)
      }
    }),
  )
}
