/**
 * One step of a GRU in WebAssembly, with the weights and the order of `js/gru.ts`.
 *
 * First come the sums (`gru-sums.ts`), which wait in memory. Then the gates: there each vector
 * depends on nothing but its own sums, so the machine works on several at once, and no register has to
 * be kept for a sum meanwhile. Where the reset comes before the product, U·(r ⊙ h) needs r of all
 * units, and is a third pass in between.
 */

import type { GruKernel } from '../../layers/gru.ts'
import { LANES, padded } from '../../plan.ts'
import { activate } from './activations.ts'
import { limited, overUnits } from './cell.ts'
import { addProducts, GATES, type GruShape, N, type Part, partsOf, R, Z } from './gru-sums.ts'
import type { Entry, Routine, Site } from './kernel.ts'
import {
  advance,
  all,
  hold,
  type Lanes,
  madd,
  overBlocks,
  type Pointer,
  pointer,
  type Result,
  repeat,
  VECTOR,
  type Vector,
} from './lanes.ts'
import { type Cell, writeRecurrent } from './recurrent.ts'

export function writeGru(site: Site, kernel: GruKernel, entry: Entry): Routine {
  return writeRecurrent(site, kernel, gruCell(site, kernel), entry)
}

export function gruCell(site: Site, kernel: GruKernel): Cell {
  const [panels, biases] = [kernel.panels, kernel.biases].map((at) => site.target.bytes * at)
  const [sums, finish] = [writeSums(site, kernel), writeFinish(site, kernel)]
  return {
    parts: [
      (k, { x, h, out, own }) => k.f.call(sums, panels, biases, x, h, out, own),
      (k, { h, out, own }) => k.f.call(finish, own, h, out),
    ],
    scratch: GATES * padded(kernel.units),
  }
}

/** (panels, biases, x, h, out, pre): all that comes before `finish`. */
function writeSums(site: Site, shape: GruShape): Routine {
  const { features, units } = shape
  const reset = shape.resetAfter ? null : writeReset(site, shape)
  const [onInputs, onStates, onResetStates] = partsOf(shape)
  return site.func(`gru ${features} to ${units}: sums`, (k, panels, biases, x, h, out, pre) => {
    const products = (parts: readonly (readonly [Part, Pointer[]])[]): void =>
      overUnits(k, shape, GATES, panels, (block) => {
        const [own, to] = [pre, out].map(block.part)
        addProducts(block, biases, [{ pre: own, out: to }], parts)
      })
    products([
      [onInputs, [x]],
      [onStates, [h]],
    ])
    if (reset === null) return
    k.f.call(reset, pre, h)
    products([[onResetStates, [pointer(k, pre, R * k.bytes * padded(units))]]])
  })
}

/** (pre, h), where the reset comes before the product: r of [z|r|n] becomes σ(r) ⊙ h. */
export function writeReset({ func }: Site, shape: GruShape): Routine {
  const { units } = shape
  return func(`gru ${units}: reset`, (k, pre, h) => {
    const { float, v128 } = k.f
    const r = pointer(k, pre, R * k.bytes * padded(units))
    repeat(k, (padded(units) / LANES) * k.parts, () => {
      const gate = gateOf(k, shape, hold(k, v128.load(0, r)))
      v128.store(0, r, float.mul(gate, v128.load(0, h)))
      for (const each of [r, h]) advance(k, each, VECTOR)
    })
  })
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

function gateOf(k: Lanes, { recurrentActivation, clip }: GruShape, a: Vector): Result {
  return activate(k, recurrentActivation, limited(k, a, clip))
}
