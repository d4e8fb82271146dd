/**
 * The chain rule backwards through one step of a recurrent layer: from the derivatives of a number
 * with respect to the new state to those with respect to the old state and the input. Exact, in
 * float64; to be read beside `runtime/reference/cells.ts`. ḡ is the derivative with respect to g.
 */

import type { GruNode, LstmNode, RecurrentNode, RnnNode } from '../model/types.ts'
import {
  type GruStep,
  gruStep,
  type LstmStep,
  lstmStep,
  type RnnStep,
  rnnStep,
  type States,
} from '../runtime/reference/cells.ts'
import { apply, type Vector } from '../runtime/reference/vectors.ts'
import type { Tensor } from '../tensor.ts'
import { slopeOf } from './slopes.ts'

/** Derivatives with respect to the states before a step, by slot, and to its input. */
export interface Pulled {
  readonly states: States
  /** [features] */
  readonly x: Vector
}

/** From the derivatives with respect to the new states, by slot, to those before the step. */
export type Pullback = (bars: States) => Pulled

/** @param states before the step. */
export function cellPullback(node: RecurrentNode, x: Vector, states: States): Pullback {
  if (node.kind === 'gru') return gruPullback(node, states.h, gruStep(node, x, states.h))
  if (node.kind === 'lstm')
    return lstmPullback(node, states.c, lstmStep(node, x, states.h, states.c))
  return rnnPullback(node, rnnStep(node, x, states.h))
}

function gruPullback(node: GruNode, h: Vector, step: GruStep): Pullback {
  const { kernel: W, recurrentKernel: U } = node.weights
  const { xz, xr, xn, hz, hr, hn, z, r, n } = step
  const keeps = node.update === 'keeps'
  const gate = limited(slopeOf(node.recurrentActivation), node.clip)
  const candidate = limited(slopeOf(node.activation), node.clip)
  const [dz, dr] = [xz.map((a, u) => gate(a + hz[u])), xr.map((a, u) => gate(a + hr[u]))]
  const dn = xn.map((a, u) => candidate(a + (node.resetAfter ? r[u] * hn[u] : hn[u])))
  return ({ h: bar }) => {
    // h' = z ⊙ h + (1−z) ⊙ n, with h and n exchanged where z updates
    const az = bar.map((b, u) => b * (keeps ? h[u] - n[u] : n[u] - h[u]) * dz[u])
    const an = bar.map((b, u) => b * (keeps ? 1 - z[u] : z[u]) * dn[u])
    const old = bar.map((b, u) => b * (keeps ? z[u] : 1 - z[u]))
    // after:  an = xn + r ⊙ hn, hn = Un·h + brn      before:  an = xn + Un·q, q = r ⊙ h
    const read = node.resetAfter ? an.map((a, u) => a * r[u]) : an
    const back = product(U.n, read)
    const ar = node.resetAfter
      ? an.map((a, u) => a * hn[u] * dr[u])
      : back.map((b, u) => b * h[u] * dr[u])
    const throughCandidate = node.resetAfter ? back : back.map((b, u) => b * r[u])
    return {
      states: { h: sum(old, throughCandidate, product(U.z, az), product(U.r, ar)) },
      x: sum(product(W.z, az), product(W.r, ar), product(W.n, an)),
    }
  }
}

function lstmPullback(node: LstmNode, c: Vector, step: LstmStep): Pullback {
  const { kernel: W, recurrentKernel: U, peephole: p } = node.weights
  const { xi, xf, xg, xo, hi, hf, hg, ho, i, f, g, o, c: next } = step
  const gate = limited(slopeOf(node.recurrentActivation), node.clip)
  const candidate = limited(slopeOf(node.activation), node.clip)
  const ψ = slopeOf(node.outputActivation)
  const sees = (which: 'i' | 'f' | 'o', u: number): number => p?.[which].data[u] ?? 0
  const di = xi.map((a, u) => gate(a + hi[u] + sees('i', u) * c[u]))
  const df = node.coupled
    ? xf.map(() => 0)
    : xf.map((a, u) => gate(a + hf[u] + sees('f', u) * c[u]))
  const dg = xg.map((a, u) => candidate(a + hg[u]))
  const dOut = xo.map((a, u) => gate(a + ho[u] + sees('o', u) * next[u]))
  const dψ = next.map(ψ)
  const leaving = apply(node.outputActivation, next)
  return ({ h: bar, c: cellBar }) => {
    // h' = o ⊙ ψ(c'), and o sees c'
    const ao = bar.map((b, u) => b * leaving[u] * dOut[u])
    const into = cellBar.map((b, u) => b + bar[u] * o[u] * dψ[u] + sees('o', u) * ao[u])
    // c' = f ⊙ c + i ⊙ g, where coupled gates have f = 1 − i
    const ai = into.map((b, u) => b * (node.coupled ? g[u] - c[u] : g[u]) * di[u])
    const af = into.map((b, u) => b * c[u] * df[u])
    const ag = into.map((b, u) => b * i[u] * dg[u])
    return {
      states: {
        h: sum(product(U.i, ai), product(U.f, af), product(U.g, ag), product(U.o, ao)),
        c: into.map((b, u) => b * f[u] + sees('i', u) * ai[u] + sees('f', u) * af[u]),
      },
      x: sum(product(W.i, ai), product(W.f, af), product(W.g, ag), product(W.o, ao)),
    }
  }
}

/** h' = φ(W·x + U·h + b) */
function rnnPullback({ weights, activation, clip }: RnnNode, { xh, hh }: RnnStep): Pullback {
  const slope = limited(slopeOf(activation), clip)
  const d = xh.map((a, u) => slope(a + hh[u]))
  return ({ h: bar }) => {
    const a = bar.map((b, u) => b * d[u])
    return { states: { h: product(weights.recurrentKernel, a) }, x: product(weights.kernel, a) }
  }
}

/** The slope is 0 where a pre-activation is clipped. */
function limited(slope: (a: number) => number, clip: number | null): (a: number) => number {
  if (clip === null) return slope
  return (a) => (a > clip || a < -clip ? 0 : slope(a))
}

/** K·a, the derivatives with respect to the inputs of a product with K [inputs, units]. */
function product({ data, shape }: Tensor, a: Vector): number[] {
  const [inputs, units] = shape
  return Array.from({ length: inputs }, (_, i) => {
    let total = 0
    for (let u = 0; u < units; u++) total += data[i * units + u] * a[u]
    return total
  })
}

function sum(first: Vector, ...others: readonly Vector[]): number[] {
  return first.map((a, i) => others.reduce((total, other) => total + other[i], a))
}
