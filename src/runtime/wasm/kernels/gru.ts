/**
 * Writes a GRU, with the weights and the order of `js/gru.ts`.
 *
 * First come the sums, which wait in memory: a few vectors of units at a time are taken through all
 * rows of their weights. Then the gates: there each vector depends on nothing but its own sums, so the
 * machine works on several at once, and no register has to be kept for a sum meanwhile. Where the
 * reset comes before the product, U·(r ⊙ h) needs r of all units: a pass of its own stands between.
 */

import type { GruKernel } from '../../plan/kernels.ts'
import { LANES, padded } from '../../plan/types.ts'
import { activate } from './activations.ts'
import { limited, overUnits, rowsOf, starts, sumsOf } from './cell.ts'
import type { CodegenContext, Entry, Routine } from './context.ts'
import {
  accumulate,
  advance,
  type Emitter,
  inEvenParts,
  madd,
  type Pointer,
  pointer,
  type Result,
  repeat,
  splat,
  toLocal,
  VECTOR,
  type Vector,
} from './emitter.ts'
import { addProducts, GATES, type GruShape, HN, N, type Part, partsOf, R, Z } from './gru-sums.ts'
import { type Cell, writeRecurrent } from './recurrent.ts'

export function writeGru(context: CodegenContext, kernel: GruKernel, entry: Entry): Routine {
  return writeRecurrent(context, kernel, gruCell(context, kernel), entry)
}

function gruCell(context: CodegenContext, kernel: GruKernel): Cell {
  const [panels, biases] = [kernel.panels, kernel.biases].map((at) => context.config.bytes * at)
  const sums = kernel.resetAfter ? writeSums(context, kernel) : writeSumsBefore(context, kernel)
  const finish = writeFinish(context, kernel)
  return {
    parts: [
      (k, { x, h, out, own }) => k.f.call(sums, panels, biases, x, h, out, own),
      (k, { h, out, own }) => k.f.call(finish, own, h, out),
    ],
    scratch: GATES * padded(kernel.units),
  }
}

/** (panels, biases, x, h, out, pre). z, r: bias + W·x + U·h.   n: bin + Wn·x.   hn: brn + Un·h */
function writeSums({ func }: CodegenContext, { features, units }: GruShape): Routine {
  return func(`gru ${features} to ${units}: sums`, (k, panels, biases, x, h, out, pre) =>
    overUnits(k, rowsOf({ features, units }), GATES, panels, (strip) => {
      const [b, to, hnTo] = [biases, pre, out].map(strip.part)
      const [z, r, n, hn] = [Z, R, N, HN].map((sum) => starts(strip, b, sum))
      const w = pointer(k, strip.w)
      const add = (sums: readonly Vector[][], vector: Pointer, count: number): void => {
        const each = sums.flatMap((accs, gate) => sumsOf(strip, [accs], gate))
        accumulate(k, each, w, strip.row, [pointer(k, vector)], count)
      }
      add([z, r, n], x, features)
      add([z, r, hn], h, units)
      const store = (accs: readonly Vector[], array: Pointer, start: number): void =>
        accs.forEach((acc, v) => k.f.v128.store(start + v * VECTOR, array, acc))
      ;[z, r, n].forEach((accs, gate) => store(accs, to, gate * strip.width))
      store(hn, hnTo, 0)
    }),
  )
}

/** The same where the reset comes before the product: hn is brn + Un·(r ⊙ h). */
function writeSumsBefore(context: CodegenContext, shape: GruShape): Routine {
  const { features, units } = shape
  const reset = writeReset(context, shape)
  const [onInputs, onStates, onResetStates] = partsOf(shape)
  return context.func(`gru ${features} to ${units}: sums`, (k, panels, biases, x, h, out, pre) => {
    const products = (parts: readonly (readonly [Part, Pointer[]])[]): void =>
      overUnits(k, rowsOf(shape), GATES, panels, (strip) => {
        const [own, to] = [pre, out].map(strip.part)
        addProducts(strip, biases, [{ pre: own, out: to }], parts)
      })
    products([
      [onInputs, [x]],
      [onStates, [h]],
    ])
    k.f.call(reset, pre, h)
    products([[onResetStates, [pointer(k, pre, R * k.bytes * padded(units))]]])
  })
}

/** (pre, h): r of [z|r|n] becomes σ(r) ⊙ h. */
export function writeReset({ func }: CodegenContext, shape: GruShape): Routine {
  const { units } = shape
  return func(`gru ${units}: reset`, (k, pre, h) => {
    const { float, v128 } = k.f
    const r = pointer(k, pre, R * k.bytes * padded(units))
    repeat(k, (padded(units) / LANES) * k.parts, () => {
      const gate = gateOf(k, shape, toLocal(k, v128.load(0, r)))
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
export function writeFinish({ func }: CodegenContext, shape: GruShape): Routine {
  const { units, resetAfter, activation, update, clip } = shape
  return func(`gru ${units}: finish`, (k, pre, h, out) => {
    const { float, v128 } = k.f
    const width = k.bytes * padded(units)
    const vectors = (padded(units) / LANES) * k.parts
    const moving = [pre, h, out].map((each) => [each, VECTOR] as const)
    inEvenParts(k, vectors, k.vectors, moving, (size) => {
      const each = Array.from({ length: size }, (_, v) => v * VECTOR)
      const load = (from: Pointer, start: number, at: number): Vector =>
        toLocal(k, v128.load(start + at, from))
      const gate = (gate: number): Vector[] =>
        each.map((at) => toLocal(k, gateOf(k, shape, load(pre, gate * width, at))))
      const r = resetAfter ? gate(R) : null
      const z = gate(Z)
      const n = each.map((at, v) => {
        const [sum, hn] = [load(pre, N * width, at), load(out, 0, at)]
        return toLocal(k, r === null ? float.add(sum, hn) : madd(k, r[v], hn, sum))
      })
      const candidates = n.map((a) => toLocal(k, activate(k, activation, limited(k, a, clip))))
      each.forEach((at, v) => {
        const old = load(h, 0, at)
        const [kept, taken] = update === 'keeps' ? [old, candidates[v]] : [candidates[v], old]
        const rest = toLocal(k, float.mul(float.sub(splat(k, 1), z[v]), taken))
        v128.store(at, out, madd(k, z[v], kept, rest))
      })
    })
  })
}

function gateOf(k: Emitter, { recurrentActivation, clip }: GruShape, a: Vector): Result {
  return activate(k, recurrentActivation, limited(k, a, clip))
}
