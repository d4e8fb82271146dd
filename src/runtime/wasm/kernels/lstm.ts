/**
 * One step of an LSTM in WebAssembly, with the weights and the order of `js/lstm.ts`. No gate ever
 * lies in memory: a strip of units reads and writes its own part of the cell.
 */

import type { LstmKernel } from '../../plan/kernels.ts'
import { gatesOf } from '../../plan/layers/lstm.ts'
import { activate } from './activations.ts'
import { limited, overUnits, rowsOf, type Strip, starts, sumsOf } from './cell.ts'
import type { CodegenContext, Entry, Routine } from './context.ts'
import {
  accumulate,
  madd,
  type Pointer,
  pointer,
  splat,
  toLocal,
  VECTOR,
  type Vector,
} from './emitter.ts'
import { type Cell, writeRecurrent } from './recurrent.ts'

/** What a cell depends on. */
type CellShape = Pick<
  LstmKernel,
  | ('features' | 'units' | 'coupled' | 'clip' | 'peepholes')
  | ('activation' | 'recurrentActivation' | 'outputActivation')
>

export function writeLstm(context: CodegenContext, kernel: LstmKernel, entry: Entry): Routine {
  return writeRecurrent(context, kernel, lstmCell(context, kernel), entry)
}

function lstmCell(context: CodegenContext, kernel: LstmKernel): Cell {
  const cell = writeCell(context, kernel)
  const [panels, biases] = [kernel.panels, kernel.biases].map((at) => context.config.bytes * at)
  return {
    parts: [(k, { x, h, out, own }) => k.f.call(cell, panels, biases, x, h, out, own)],
    scratch: 0,
  }
}

/** (panels, biases, x, h, out, c) */
function writeCell({ func }: CodegenContext, shape: CellShape): Routine {
  const gates = gatesOf(shape).length
  return func(`lstm ${shape.features} to ${shape.units}`, (k, panels, biases, x, h, out, c) =>
    overUnits(k, rowsOf(shape), gates, panels, (strip) =>
      writeStrip(strip, shape, biases, x, h, out, c),
    ),
  )
}

function writeStrip(
  strip: Strip,
  shape: CellShape,
  biases: Pointer,
  x: Pointer,
  h: Pointer,
  out: Pointer,
  cell: Pointer,
): void {
  const { f: code, row, width } = strip
  const { float, local, v128 } = code
  const gates = gatesOf(shape)
  const [w, xi, hi] = [strip.w, x, h].map((start) => pointer(strip, start))
  const [b, to, own] = [biases, out, cell].map(strip.part)
  // i, f, g, o: bias + W·x + U·h
  const accs = gates.map((_, gate) => starts(strip, b, gate))
  const rows = accs.flatMap((acc, gate) => sumsOf(strip, [acc], gate))
  accumulate(strip, rows, w, row, [xi], shape.features)
  accumulate(strip, rows, w, row, [hi], shape.units)

  const of = (gate: (typeof gates)[number], v: number): Vector => accs[gates.indexOf(gate)][v]
  /** The gate's activation of a + p ⊙ c. */
  const gated = (a: Vector, peephole: number, c: Vector, v: number): void => {
    if (shape.peepholes >= 0) {
      const p = toLocal(strip, v128.load((gates.length + peephole) * width + v * VECTOR, b))
      local.set(a, madd(strip, p, c, a))
    }
    local.set(a, activate(strip, shape.recurrentActivation, limited(strip, a, shape.clip)))
  }
  for (const v of strip.all) {
    const c = toLocal(strip, v128.load(v * VECTOR, own))
    const [i, g, o] = [of('i', v), of('g', v), of('o', v)]
    gated(i, 0, c, v)
    if (!shape.coupled) gated(of('f', v), 1, c, v)
    local.set(g, activate(strip, shape.activation, limited(strip, g, shape.clip)))
    // c' = f ⊙ c + i ⊙ g, with f = 1 − i where the gates are coupled
    const f = shape.coupled ? toLocal(strip, float.sub(splat(strip, 1), i)) : of('f', v)
    const kept = toLocal(strip, float.mul(f, c))
    local.set(c, madd(strip, i, g, kept))
    v128.store(v * VECTOR, own, c)
    // h' = o ⊙ ψ(c')
    gated(o, 2, c, v)
    v128.store(v * VECTOR, to, float.mul(activate(strip, shape.outputActivation, c), o))
  }
}
