/**
 * What layers with weights are written with: a few vectors of units at a time are taken through all
 * rows of their weights (`layers/panels.ts`), with one accumulator for each vector and gate.
 */

import { panelGroups } from '../../layers/panels.ts'
import { LANES, padded } from '../../plan.ts'
import {
  advance,
  clamp,
  hold,
  type Lanes,
  overBlocks,
  type Pointer,
  pointer,
  repeat,
  type Sum,
  VECTOR,
  type Vector,
} from './lanes.ts'

/** A few vectors of units of a cell, while they are written. */
export interface Block extends Lanes {
  /** 0, 1, … */
  readonly all: readonly number[]
  /** Bytes from one row of weights to the next, and of one number for each unit. */
  readonly row: number
  readonly width: number
  readonly gates: number
  /** The first of the block's weights; a pointer to the block's part of an array over units. */
  readonly w: Pointer
  readonly part: (array: Pointer) => Pointer
}

/**
 * Writes code for all units, block by block. Targets speak of the three sums of a GRU; a block takes
 * as many groups as come to no more sums than that, or a vector of one, because V8 before 13 runs out
 * of registers: an LSTM of 256 units takes 36 µs a step with four sums, 109 µs with eight.
 */
export function overUnits(
  k: Lanes,
  { rows, units }: { readonly rows: number; readonly units: number },
  gates: number,
  panels: Pointer,
  write: (block: Block) => void,
  vectors = k.vectors,
): void {
  const { f } = k
  const lanes = padded(units)
  const group = gates * k.group
  const [w, u] = [pointer(k, panels), f.local('i32')]
  f.local.set(u, 0)
  const part = (array: Pointer): Pointer => {
    const local = f.local('i32')
    f.local.set(local, f.i32.add(array, u))
    return local
  }
  const most = Math.max(1, Math.floor((3 * vectors) / gates))
  overBlocks(k, lanes / LANES, panelGroups(gates), [], (groups) => {
    const row = groups * group
    const writeBlock = (count: number): void => {
      const all = Array.from({ length: count }, (_, v) => v)
      write({ ...k, all, row, gates, width: k.bytes * lanes, w, part })
    }
    if (most >= k.parts) {
      const pointers = [[w, group] as const, [u, k.group] as const]
      overBlocks(k, groups, Math.floor(most / k.parts), pointers, (size) =>
        writeBlock(size * k.parts),
      )
    } else {
      // Less than a group: one part of it after the other.
      overBlocks(k, groups, 1, [[w, group - k.group]], () =>
        repeat(k, k.parts, () => {
          writeBlock(1)
          for (const each of [w, u]) advance(k, each, VECTOR)
        }),
      )
    }
    advance(k, w, (rows - 1) * row)
  })
}

/** The rows of W and U of a recurrent layer. */
export function rowsOf({ features, units }: { readonly features: number; readonly units: number }) {
  return { rows: features + units, units }
}

/** Accumulators that start at a gate's biases. */
export function starts(block: Block, b: Pointer, gate: number): Vector[] {
  return block.all.map((v) => hold(block, block.f.v128.load(gate * block.width + v * VECTOR, b)))
}

/** A gate's accumulators by input and vector, with where their weights lie in a row of the block. */
export function sumsOf(
  { all, gates, group, parts }: Block,
  accs: readonly (readonly Vector[])[],
  gate: number,
): Sum[] {
  return all.map((v) => ({
    accs: accs.map((each) => each[v]),
    offset: (Math.floor(v / parts) * gates + gate) * group + (v % parts) * VECTOR,
  }))
}

/** A pre-activation, limited to ±clip where there is a limit. */
export function limited(k: Lanes, a: Vector, clip: number | null): Vector {
  return clip === null ? a : hold(k, clamp(k, a, -clip, clip))
}
