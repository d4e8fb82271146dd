/**
 * One step of a GRU in WebAssembly, with the weights and the order of `js/gru.ts`.
 *
 * A few vectors of units at a time are taken through all rows of their weights, with one accumulator
 * for each vector and gate, and finished before the next few begin: where the reset comes after the
 * product, no gate ever lies in memory. Where it comes before, the product needs r ⊙ h of all units:
 * there are two rounds, and z and r ⊙ h wait in between.
 */

import type { GruKernel } from '../../layers/gru.ts'
import type { ModuleBuilder } from '../assembler.ts'
import { activate } from './activations.ts'
import { type Block, limited, overUnits, starts, sums } from './cell.ts'
import { writeGruBlock } from './gru-block.ts'
import type { KernelFuncs, Site } from './kernel.ts'
import {
  accumulate,
  all,
  hold,
  madd,
  type Pointer,
  pointer,
  type Style,
  VECTOR,
  type Vector,
  writing,
} from './lanes.ts'
import { type CellFunc, type Cells, writeSteps } from './steps.ts'

/** What a cell depends on. */
export type CellShape = Pick<
  GruKernel,
  'features' | 'units' | 'resetAfter' | 'update' | 'activation' | 'recurrentActivation' | 'clip'
>

/** The order of gates in a row of weights and in the biases, which hold two parts of n. */
export const [Z, R, N, HN] = [0, 1, 2, 3]
export const GATES = 3

interface GruBlock extends Block {
  readonly shape: CellShape
}

export function writeGru(site: Site, kernel: GruKernel, cells: Cells): KernelFuncs {
  const { features, units, resetAfter, update, activation, recurrentActivation, clip } = kernel
  const shape = { features, units, resetAfter, update, activation, recurrentActivation, clip }
  const write = (): CellFunc => writeCell(site.module, shape, site.target)
  return { ...writeSteps(site, kernel, cells, shape, write), block: writeGruBlock(site, kernel) }
}

function writeCell(module: ModuleBuilder, shape: CellShape, target: Style): CellFunc {
  return module.func(
    {
      name: `gru ${shape.features} to ${shape.units}`,
      params: ['i32', 'i32', 'i32', 'i32', 'i32', 'i32'],
    },
    (f, panels, biases, x, h, out, scratch) => {
      const k = writing(target, f)
      const round = (write: (block: GruBlock) => void): void =>
        overUnits(k, shape, GATES, panels, (block) => write({ ...block, shape }))
      if (shape.resetAfter) round((block) => writeAfter(block, biases, x, h, out))
      else {
        round((block) => writeGates(block, biases, x, h, out, scratch))
        round((block) => writeBefore(block, biases, h, out, scratch))
      }
    },
  )
}

/** n = φ(W·x + bin + r ⊙ (U·h + brn)) */
function writeAfter(block: GruBlock, biases: Pointer, x: Pointer, h: Pointer, out: Pointer): void {
  const { f, shape, all } = block
  const { local, v128 } = f
  const [w, xi, hi] = [block.w, x, h].map((start) => pointer(block, start))
  const [b, to, old] = [biases, out, h].map(block.part)
  const [z, r, xn] = [Z, R, N].map((gate) => starts(block, b, gate))
  const gates = [...sums(block, z, Z), ...sums(block, r, R)]
  accumulate(block, [...gates, ...sums(block, xn, N)], w, block.row, xi, shape.features)
  // It waits outside the registers: they are needed.
  for (const v of all) v128.store(v * VECTOR, to, xn[v])
  const hn = starts(block, b, HN)
  accumulate(block, [...gates, ...sums(block, hn, N)], w, block.row, hi, shape.units)

  for (const v of all) {
    local.set(r[v], activate(block, shape.recurrentActivation, limited(block, r[v], shape.clip)))
    local.set(z[v], activate(block, shape.recurrentActivation, limited(block, z[v], shape.clip)))
    const waiting = hold(block, v128.load(v * VECTOR, to))
    const sum = hold(block, madd(block, r[v], hn[v], waiting))
    finish(block, v, z[v], sum, old, to)
  }
}

/** The first round of `writeBefore`: z and r ⊙ h into scratch, W·x + bin into `out`. */
function writeGates(
  block: GruBlock,
  biases: Pointer,
  x: Pointer,
  h: Pointer,
  out: Pointer,
  scratch: Pointer,
): void {
  const { f, shape, all, width } = block
  const { local, float, v128 } = f
  const [w, xi, hi] = [block.w, x, h].map((start) => pointer(block, start))
  const [b, to, old, wait] = [biases, out, h, scratch].map(block.part)
  const [z, r, xn] = [Z, R, N].map((gate) => starts(block, b, gate))
  const gates = [...sums(block, z, Z), ...sums(block, r, R)]
  accumulate(block, [...gates, ...sums(block, xn, N)], w, block.row, xi, shape.features)
  for (const v of all) v128.store(v * VECTOR, to, xn[v])
  accumulate(block, gates, w, block.row, hi, shape.units)
  for (const v of all) {
    local.set(r[v], activate(block, shape.recurrentActivation, limited(block, r[v], shape.clip)))
    v128.store(
      v * VECTOR,
      wait,
      activate(block, shape.recurrentActivation, limited(block, z[v], shape.clip)),
    )
    v128.store(width + v * VECTOR, wait, float.mul(r[v], v128.load(v * VECTOR, old)))
  }
}

/** n = φ(W·x + U·(r ⊙ h) + bin + brn) */
function writeBefore(
  block: GruBlock,
  biases: Pointer,
  h: Pointer,
  out: Pointer,
  scratch: Pointer,
): void {
  const { f, shape, all, width } = block
  const { float, v128 } = f
  const w = pointer(block, block.w, shape.features * block.row)
  const [b, to, old, wait] = [biases, out, h, scratch].map(block.part)
  const hn = starts(block, b, HN)
  accumulate(block, sums(block, hn, N), w, block.row, pointer(block, scratch, width), shape.units)
  for (const v of all) {
    const z = hold(block, v128.load(v * VECTOR, wait))
    const sum = hold(block, float.add(v128.load(v * VECTOR, to), hn[v]))
    finish(block, v, z, sum, old, to)
  }
}

/** h' = z ⊙ h + (1 − z) ⊙ φ(a), or with h and n exchanged. */
export function finish(
  block: GruBlock,
  v: number,
  z: Vector,
  a: Vector,
  old: Pointer,
  to: Pointer,
): void {
  const { f, shape } = block
  const { float, v128 } = f
  const n = hold(block, activate(block, shape.activation, limited(block, a, shape.clip)))
  const h = hold(block, v128.load(v * VECTOR, old))
  const [kept, taken] = shape.update === 'keeps' ? [h, n] : [n, h]
  const rest = hold(block, float.mul(float.sub(all(block, 1), z), taken))
  v128.store(v * VECTOR, to, madd(block, z, kept, rest))
}
