/**
 * One step of a GRU in WebAssembly, with the weights and the order of `js/gru.ts`.
 *
 * A few vectors of units at a time are taken through all rows of their weights, with one accumulator
 * for each vector and gate, and finished before the next few begin: where the reset comes after the
 * product, no gate ever lies in memory. Where it comes before, the product needs r ⊙ h of all units:
 * there are two rounds, and z and r ⊙ h wait in between.
 */

import type { GruKernel } from '../../js/gru.ts'
import { LANES, padded } from '../../plan.ts'
import type { Func, ModuleBuilder } from '../assembler.ts'
import { activate } from './activations.ts'
import {
  accumulate,
  all,
  clamp,
  hold,
  type Lanes,
  madd,
  overBlocks,
  type Pointer,
  pointer,
  type Style,
  type Sum,
  type Vector,
} from './lanes.ts'

/** (panels, biases, x, h, out, scratch): reads x and h, writes h' to `out`, which is neither. */
export type CellFunc = Func<readonly ['i32', 'i32', 'i32', 'i32', 'i32', 'i32'], undefined>

/** What a cell depends on. */
export type CellShape = Pick<
  GruKernel,
  'features' | 'units' | 'resetAfter' | 'update' | 'activation' | 'recurrentActivation' | 'clip'
>

/** Bytes of a vector, and from one row of weights to the next: three gates. */
const VECTOR = 16
const ROW = 3 * VECTOR

/** The order of gates in a row of weights and in the biases, which hold two parts of n. */
const [Z, R, N, HN] = [0, 1, 2, 3]

/** A few vectors of units of a cell, while they are written. */
interface Block extends Lanes {
  readonly shape: CellShape
  /** 0, 1, … */
  readonly all: readonly number[]
  /** Bytes of the weights of one vector, and of one number for each unit. */
  readonly panel: number
  readonly width: number
  /** The first of the block's weights; a pointer to the block's part of an array over units. */
  readonly w: Pointer
  readonly part: (array: Pointer) => Pointer
}

export function writeCell(module: ModuleBuilder, shape: CellShape, target: Style): CellFunc {
  const { features, units, resetAfter } = shape
  const lanes = padded(units)
  const [panel, width] = [(features + units) * ROW, 4 * lanes]
  return module.func(
    {
      name: `gru ${features} to ${units}`,
      params: ['i32', 'i32', 'i32', 'i32', 'i32', 'i32'],
    },
    (f, panels, biases, x, h, out, scratch) => {
      const k: Lanes = { ...target, f }
      const round = (write: (block: Block) => void): void => {
        const [w, u] = [pointer(k, panels), f.local('i32')]
        f.local.set(u, 0)
        const part = (array: Pointer): Pointer => {
          const local = f.local('i32')
          f.local.set(local, f.i32.add(array, u))
          return local
        }
        const pointers = [[w, panel] as const, [u, VECTOR] as const]
        overBlocks(k, lanes / LANES, target.vectors, pointers, (size) => {
          const all = Array.from({ length: size }, (_, v) => v)
          write({ ...k, shape, all, panel, width, w, part })
        })
      }
      if (resetAfter) round((block) => writeAfter(block, biases, x, h, out))
      else {
        round((block) => writeGates(block, biases, x, h, out, scratch))
        round((block) => writeBefore(block, biases, h, out, scratch))
      }
    },
  )
}

/** n = φ(W·x + bin + r ⊙ (U·h + brn)) */
function writeAfter(block: Block, biases: Pointer, x: Pointer, h: Pointer, out: Pointer): void {
  const { f, shape, all } = block
  const { local, v128 } = f
  const [w, xi, hi] = [block.w, x, h].map((start) => pointer(block, start))
  const [b, to, old] = [biases, out, h].map(block.part)
  const [z, r, xn] = [Z, R, N].map((gate) => starts(block, b, gate))
  const gates = [...sums(block, z, Z), ...sums(block, r, R)]
  accumulate(block, [...gates, ...sums(block, xn, N)], w, ROW, xi, shape.features)
  // It waits outside the registers: they are needed.
  for (const v of all) v128.store(v * VECTOR, to, xn[v])
  const hn = starts(block, b, HN)
  accumulate(block, [...gates, ...sums(block, hn, N)], w, ROW, hi, shape.units)

  for (const v of all) {
    local.set(r[v], activate(block, shape.recurrentActivation, limited(block, r[v])))
    local.set(z[v], activate(block, shape.recurrentActivation, limited(block, z[v])))
    const waiting = hold(block, v128.load(v * VECTOR, to))
    const sum = hold(block, madd(block, r[v], hn[v], waiting))
    finish(block, v, z[v], sum, old, to)
  }
}

/** The first round of `writeBefore`: z and r ⊙ h into scratch, W·x + bin into `out`. */
function writeGates(
  block: Block,
  biases: Pointer,
  x: Pointer,
  h: Pointer,
  out: Pointer,
  scratch: Pointer,
): void {
  const { f, shape, all, width } = block
  const { local, f32x4, v128 } = f
  const [w, xi, hi] = [block.w, x, h].map((start) => pointer(block, start))
  const [b, to, old, wait] = [biases, out, h, scratch].map(block.part)
  const [z, r, xn] = [Z, R, N].map((gate) => starts(block, b, gate))
  const gates = [...sums(block, z, Z), ...sums(block, r, R)]
  accumulate(block, [...gates, ...sums(block, xn, N)], w, ROW, xi, shape.features)
  for (const v of all) v128.store(v * VECTOR, to, xn[v])
  accumulate(block, gates, w, ROW, hi, shape.units)
  for (const v of all) {
    local.set(r[v], activate(block, shape.recurrentActivation, limited(block, r[v])))
    v128.store(v * VECTOR, wait, activate(block, shape.recurrentActivation, limited(block, z[v])))
    v128.store(width + v * VECTOR, wait, f32x4.mul(r[v], v128.load(v * VECTOR, old)))
  }
}

/** n = φ(W·x + U·(r ⊙ h) + bin + brn) */
function writeBefore(
  block: Block,
  biases: Pointer,
  h: Pointer,
  out: Pointer,
  scratch: Pointer,
): void {
  const { f, shape, all, width } = block
  const { f32x4, v128 } = f
  const w = pointer(block, block.w, shape.features * ROW)
  const [b, to, old, wait] = [biases, out, h, scratch].map(block.part)
  const hn = starts(block, b, HN)
  accumulate(block, sums(block, hn, N), w, ROW, pointer(block, scratch, width), shape.units)
  for (const v of all) {
    const z = hold(block, v128.load(v * VECTOR, wait))
    const sum = hold(block, f32x4.add(v128.load(v * VECTOR, to), hn[v]))
    finish(block, v, z, sum, old, to)
  }
}

/** h' = z ⊙ h + (1 − z) ⊙ φ(a), or with h and n exchanged. */
function finish(block: Block, v: number, z: Vector, a: Vector, old: Pointer, to: Pointer): void {
  const { f, shape } = block
  const { f32x4, v128 } = f
  const n = hold(block, activate(block, shape.activation, limited(block, a)))
  const h = hold(block, v128.load(v * VECTOR, old))
  const [kept, taken] = shape.update === 'keeps' ? [h, n] : [n, h]
  const rest = hold(block, f32x4.mul(f32x4.sub(all(block, 1), z), taken))
  v128.store(v * VECTOR, to, madd(block, z, kept, rest))
}

function limited(block: Block, a: Vector): Vector {
  const { clip } = block.shape
  return clip === null ? a : hold(block, clamp(block, a, -clip, clip))
}

/** Accumulators that start at a gate's biases. */
function starts(block: Block, b: Pointer, gate: number): Vector[] {
  return block.all.map((v) => hold(block, block.f.v128.load(gate * block.width + v * VECTOR, b)))
}

function sums({ panel }: Block, accs: readonly Vector[], gate: number): Sum[] {
  return accs.map((acc, v) => ({ acc, offset: v * panel + gate * VECTOR }))
}
