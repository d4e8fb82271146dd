/**
 * Writes what cells and other layers with weights have in common: a few vectors of units at a time are taken through all
 * rows of their weights (`layers/panels.ts`), with one accumulator for each vector and gate.
 */

import { panelGroups } from '../../plan/layers/panels.ts'
import { LANES, padded } from '../../plan/types.ts'
import {
  advance,
  clamp,
  type Emitter,
  inEvenParts,
  type Pointer,
  pointer,
  repeat,
  type Sum,
  toLocal,
  VECTOR,
  type Vector,
} from './emitter.ts'

/** A few vectors of units of a cell, while they are written. */
export interface Strip extends Emitter {
  /** 0, 1, … */
  readonly all: readonly number[]
  /** Bytes from one row of weights to the next, and of one number for each unit. */
  readonly row: number
  readonly width: number
  readonly gates: number
  /** The first of the strip's weights; a pointer to the strip's part of an array over units. */
  readonly w: Pointer
  readonly part: (array: Pointer) => Pointer
}

/**
 * Writes code for all units, strip by strip. Targets speak of the three sums of a GRU; a strip takes
 * as many groups as come to no more sums than that, or a vector of one, because V8 before 13 runs out
 * of registers: an LSTM of 256 units takes 36 µs a step with four sums, 109 µs with eight.
 */
export function overUnits(
  k: Emitter,
  { rows, units }: { readonly rows: number; readonly units: number },
  gates: number,
  panels: Pointer,
  write: (strip: Strip) => void,
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
  inEvenParts(k, lanes / LANES, panelGroups(gates), [], (groups) => {
    const row = groups * group
    const writeStrip = (count: number): void => {
      const all = Array.from({ length: count }, (_, v) => v)
      write({ ...k, all, row, gates, width: k.bytes * lanes, w, part })
    }
    if (most >= k.parts) {
      const pointers = [[w, group] as const, [u, k.group] as const]
      inEvenParts(k, groups, Math.floor(most / k.parts), pointers, (size) =>
        writeStrip(size * k.parts),
      )
    } else {
      // Less than a group: one part of it after the other.
      inEvenParts(k, groups, 1, [[w, group - k.group]], () =>
        repeat(k, k.parts, () => {
          writeStrip(1)
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
export function starts(strip: Strip, b: Pointer, gate: number): Vector[] {
  return strip.all.map((v) => toLocal(strip, strip.f.v128.load(gate * strip.width + v * VECTOR, b)))
}

/** A gate's accumulators by input and vector, with where their weights lie in a row of the strip. */
export function sumsOf(
  { all, gates, group, parts }: Strip,
  accs: readonly (readonly Vector[])[],
  gate: number,
): Sum[] {
  return all.map((v) => ({
    accs: accs.map((each) => each[v]),
    offset: (Math.floor(v / parts) * gates + gate) * group + (v % parts) * VECTOR,
  }))
}

/** A pre-activation, limited to ±clip where there is a limit. */
export function limited(k: Emitter, a: Vector, clip: number | null): Vector {
  return clip === null ? a : toLocal(k, clamp(k, a, -clip, clip))
}
