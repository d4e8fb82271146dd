/**
 * One step of a GRU in WebAssembly, with the weights and the order of `js/gru.ts`.
 *
 * First come the sums, which wait in memory: a few vectors of units at a time are taken through all
 * rows of their weights. Then the gates: there each vector depends on nothing but its own sums, so the
 * machine works on several at once, and no register has to be kept for a sum meanwhile. Where the
 * reset comes before the product there is more between them (`gru-any.ts`).
 */

import type { GruKernel } from '../../layers/gru.ts'
import { LANES, padded } from '../../plan.ts'
import { activate } from './activations.ts'
import { limited, overUnits, rowsOf, starts, sumsOf } from './cell.ts'
import type { Entry, Routine, Site } from './kernel.ts'
import {
  accumulate,
  all,
  hold,
  type Lanes,
  madd,
  overBlocks,
  type Pointer,
  pointer,
  type Result,
  VECTOR,
  type Vector,
} from './lanes.ts'
import { writeOverFrame } from './over-frame.ts'
import { type Cell, recurrentLayer } from './recurrent.ts'

/** What the code of a GRU depends on. */
export type GruShape = Pick<
  GruKernel,
  'features' | 'units' | 'resetAfter' | 'update' | 'activation' | 'recurrentActivation' | 'clip'
>

export const GATES = 3

/** The sums of a unit, in the order of the biases; n and hn meet the same weights. */
export const [Z, R, N, HN] = [0, 1, 2, 3]

/** With the reset after the product. */
export function writeGru(site: Site, kernel: GruKernel, entry: Entry): Routine {
  const cell = cellOf(site, kernel, writeSums(site, kernel))
  return writeOverFrame(site, recurrentLayer(site.plan, kernel, cell), entry)
}

/** @param sums (panels, biases, x, h, out, pre): all that comes before `finish`. */
export function cellOf(site: Site, kernel: GruKernel, sums: Routine): Cell {
  const [panels, biases] = [kernel.panels, kernel.biases].map((at) => site.target.bytes * at)
  const finish = writeFinish(site, kernel)
  return {
    parts: [
      (k, { x, h, out, own }) => k.f.call(sums, panels, biases, x, h, out, own),
      (k, { h, out, own }) => k.f.call(finish, own, h, out),
    ],
    scratch: GATES * padded(kernel.units),
  }
}

/** z, r: bias + W·x + U·h.   n: bin + Wn·x.   hn: brn + Un·h */
export function writeSums({ func }: Site, { features, units }: GruShape): Routine {
  return func(`gru ${features} to ${units}: sums`, (k, panels, biases, x, h, out, pre) =>
    overUnits(k, rowsOf({ features, units }), GATES, panels, (block) => {
      const [b, to, hnTo] = [biases, pre, out].map(block.part)
      const [z, r, n, hn] = [Z, R, N, HN].map((sum) => starts(block, b, sum))
      const w = pointer(k, block.w)
      const add = (sums: readonly Vector[][], vector: Pointer, count: number): void => {
        const each = sums.flatMap((accs, gate) => sumsOf(block, [accs], gate))
        accumulate(k, each, w, block.row, [pointer(k, vector)], count)
      }
      add([z, r, n], x, features)
      add([z, r, hn], h, units)
      const store = (accs: readonly Vector[], array: Pointer, start: number): void =>
        accs.forEach((acc, v) => k.f.v128.store(start + v * VECTOR, array, acc))
      ;[z, r, n].forEach((accs, gate) => store(accs, to, gate * block.width))
      store(hn, hnTo, 0)
    }),
  )
}

/**
 * (pre, h, out): `pre` is [z|r|n], the sums as far as they have come; `out` holds U·h + brn, or
 * U·(r ⊙ h) + brn, and becomes h'.
 *
 * h' = z ⊙ h + (1 − z) ⊙ φ(n + r ⊙ hn), or with h and φ(…) exchanged; r is 1 if it was before.
 *
 * A gate is a chain of operations that wait for one another. So each is written for a few vectors
 * before the next gate is: the machine works on what stands close together. Four at a time take a
 * fifth less than one by one. (Eight would take 2 % less again; code that long costs the first call.)
 */
export function writeFinish({ func }: Site, shape: GruShape): Routine {
  const { units, resetAfter, activation, update, clip } = shape
  return func(`gru ${units}: finish`, (k, pre, h, out) => {
    const { float, v128 } = k.f
    const width = k.bytes * padded(units)
    const vectors = (padded(units) / LANES) * k.parts
    const moving = [pre, h, out].map((each) => [each, VECTOR] as const)
    overBlocks(k, vectors, k.vectors, moving, (size) => {
      const each = Array.from({ length: size }, (_, v) => v * VECTOR)
      const load = (from: Pointer, start: number, at: number): Vector =>
        hold(k, v128.load(start + at, from))
      const gate = (gate: number): Vector[] =>
        each.map((at) => hold(k, gateOf(k, shape, load(pre, gate * width, at))))
      const r = resetAfter ? gate(R) : null
      const z = gate(Z)
      const n = each.map((at, v) => {
        const [sum, hn] = [load(pre, N * width, at), load(out, 0, at)]
        return hold(k, r === null ? float.add(sum, hn) : madd(k, r[v], hn, sum))
      })
      const candidates = n.map((a) => hold(k, activate(k, activation, limited(k, a, clip))))
      each.forEach((at, v) => {
        const old = load(h, 0, at)
        const [kept, taken] = update === 'keeps' ? [old, candidates[v]] : [candidates[v], old]
        const rest = hold(k, float.mul(float.sub(all(k, 1), z[v]), taken))
        v128.store(at, out, madd(k, z[v], kept, rest))
      })
    })
  })
}

export function gateOf(k: Lanes, { recurrentActivation, clip }: GruShape, a: Vector): Result {
  return activate(k, recurrentActivation, limited(k, a, clip))
}
