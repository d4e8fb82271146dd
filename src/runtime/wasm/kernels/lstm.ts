/**
 * One step of an LSTM in WebAssembly, with the weights and the order of `js/lstm.ts`. No gate ever
 * lies in memory: a block of units reads and writes its own part of the cell.
 */

import { gatesOf, type LstmKernel } from '../../layers/lstm.ts'
import { activate } from './activations.ts'
import { type Block, limited, overUnits, rowsOf, starts, sumsOf } from './cell.ts'
import type { Routine, Site } from './kernel.ts'
import { accumulate, all, hold, madd, type Pointer, pointer, VECTOR, type Vector } from './lanes.ts'
import type { Cell } from './recurrent.ts'

/** What a cell depends on. */
interface CellShape
  extends Pick<
    LstmKernel,
    'features' | 'units' | 'coupled' | 'activation' | 'recurrentActivation' | 'outputActivation'
  > {
  readonly clip: number | null
  readonly peepholes: boolean
}

export function lstmCell(site: Site, kernel: LstmKernel): Cell {
  const { features, units, coupled, activation, recurrentActivation, outputActivation } = kernel
  const shape: CellShape = {
    features,
    units,
    coupled,
    activation,
    recurrentActivation,
    outputActivation,
    clip: kernel.clip,
    peepholes: kernel.peepholes >= 0,
  }
  const cell = writeCell(site, shape)
  const [panels, biases] = [kernel.panels, kernel.biases].map((at) => site.target.bytes * at)
  return {
    parts: [(k, { x, h, out, own }) => k.f.call(cell, panels, biases, x, h, out, own)],
    scratch: 0,
  }
}

/** (panels, biases, x, h, out, c) */
function writeCell({ func }: Site, shape: CellShape): Routine {
  const gates = gatesOf(shape).length
  return func(`lstm ${shape.features} to ${shape.units}`, (k, panels, biases, x, h, out, c) =>
    overUnits(k, rowsOf(shape), gates, panels, (block) =>
      writeBlock(block, shape, biases, x, h, out, c),
    ),
  )
}

function writeBlock(
  block: Block,
  shape: CellShape,
  biases: Pointer,
  x: Pointer,
  h: Pointer,
  out: Pointer,
  cell: Pointer,
): void {
  const { f: code, row, width } = block
  const { float, local, v128 } = code
  const gates = gatesOf(shape)
  const [w, xi, hi] = [block.w, x, h].map((start) => pointer(block, start))
  const [b, to, own] = [biases, out, cell].map(block.part)
  // i, f, g, o: bias + W·x + U·h
  const accs = gates.map((_, gate) => starts(block, b, gate))
  const rows = accs.flatMap((acc, gate) => sumsOf(block, [acc], gate))
  accumulate(block, rows, w, row, [xi], shape.features)
  accumulate(block, rows, w, row, [hi], shape.units)

  const of = (gate: (typeof gates)[number], v: number): Vector => accs[gates.indexOf(gate)][v]
  /** The gate's activation of a + p ⊙ c. */
  const gated = (a: Vector, peephole: number, c: Vector, v: number): void => {
    if (shape.peepholes) {
      const p = hold(block, v128.load((gates.length + peephole) * width + v * VECTOR, b))
      local.set(a, madd(block, p, c, a))
    }
    local.set(a, activate(block, shape.recurrentActivation, limited(block, a, shape.clip)))
  }
  for (const v of block.all) {
    const c = hold(block, v128.load(v * VECTOR, own))
    const [i, g, o] = [of('i', v), of('g', v), of('o', v)]
    gated(i, 0, c, v)
    if (!shape.coupled) gated(of('f', v), 1, c, v)
    local.set(g, activate(block, shape.activation, limited(block, g, shape.clip)))
    // c' = f ⊙ c + i ⊙ g, with f = 1 − i where the gates are coupled
    const f = shape.coupled ? hold(block, float.sub(all(block, 1), i)) : of('f', v)
    const kept = hold(block, float.mul(f, c))
    local.set(c, madd(block, i, g, kept))
    v128.store(v * VECTOR, own, c)
    // h' = o ⊙ ψ(c')
    gated(o, 2, c, v)
    v128.store(v * VECTOR, to, float.mul(activate(block, shape.outputActivation, c), o))
  }
}
