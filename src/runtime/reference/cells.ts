/**
 * One step of one row of a recurrent layer, in float64, to be read beside the equations in
 * `model/nodes/recurrent.ts`. Every value that an equation names comes out under that name, the
 * projections (`xz` from the input, `hz` from the state) with their own biases: xz + hz is the
 * pre-activation of z, and so on.
 */

import type { GruNode, LstmNode, RecurrentNode, RnnNode } from '../../model/types.ts'
import { affine, apply, clip, type Vector, zeros, zip } from './vectors.ts'

const valuesOf = {
  gru: ['xz', 'xr', 'xn', 'hz', 'hr', 'hn', 'z', 'r', 'n', 'h'],
  lstm: [
    ...(['xi', 'xf', 'xg', 'xo', 'hi', 'hf', 'hg', 'ho'] as const),
    ...(['i', 'f', 'g', 'o', 'c', 'h'] as const),
  ],
  rnn: ['xh', 'hh', 'h'],
} as const satisfies Record<RecurrentNode['kind'], readonly string[]>

const slotsOf = { gru: ['h'], lstm: ['h', 'c'], rnn: ['h'] } as const satisfies Record<
  RecurrentNode['kind'],
  readonly string[]
>

type Step<K extends RecurrentNode['kind']> = Readonly<Record<(typeof valuesOf)[K][number], Vector>>

export type GruStep = Step<'gru'>
export type LstmStep = Step<'lstm'>
export type RnnStep = Step<'rnn'>

/** The state of a layer by slot: `h`, and `c` where there is one. */
export type States = Readonly<Record<string, Vector>>

/** What a step of a layer computes, in the order of computing. */
export function cellValues({ kind }: RecurrentNode): readonly string[] {
  return valuesOf[kind]
}

/** Which of them are the state that the next step starts from. */
export function stateSlots({ kind }: RecurrentNode): readonly string[] {
  return slotsOf[kind]
}

export function cellStep(node: RecurrentNode, x: Vector, { h, c }: States): States {
  if (node.kind === 'gru') return gruStep(node, x, h)
  return node.kind === 'lstm' ? lstmStep(node, x, h, c) : rnnStep(node, x, h)
}

/** As `GruNode` states it. */
export function gruStep(node: GruNode, x: Vector, h: Vector): GruStep {
  const { kernel: W, recurrentKernel: U, inputBias: bi, recurrentBias: br } = node.weights
  const σ = node.recurrentActivation
  const φ = node.activation
  const merged = node.bias === 'merged'
  const limit = (a: number): number => clip(a, node.clip)

  // xz = Wz·x + biz              hz = Uz·h + brz
  const xz = affine(x, W.z, bi?.z)
  const hz = affine(h, U.z, br?.z)
  // xr = Wr·x + bir              hr = Ur·h + brr
  const xr = affine(x, W.r, bi?.r)
  const hr = affine(h, U.r, br?.r)
  // z = σ(xz + hz)               r = σ(xr + hr)
  const z = apply(
    σ,
    zip(xz, hz, (a, b) => limit(a + b)),
  )
  const r = apply(
    σ,
    zip(xr, hr, (a, b) => limit(a + b)),
  )

  // xn = Wn·x + bin, and + brn where the biases are merged
  const brn = br === null ? zeros(node.units) : Array.from(br.n.data)
  const xn = merged ? zip(affine(x, W.n, bi?.n), brn, (a, b) => a + b) : affine(x, W.n, bi?.n)
  // hn = Un·h + brn  (after),  Un·(r ⊙ h) + brn  (before); without brn where the biases are merged
  const read = node.resetAfter ? h : zip(r, h, (a, b) => a * b)
  const hn = affine(read, U.n, merged ? undefined : br?.n)
  // n = φ(xn + r ⊙ hn)  (after),  φ(xn + hn)  (before)
  const recurrent = node.resetAfter ? zip(r, hn, (a, b) => a * b) : hn
  const n = apply(
    φ,
    zip(xn, recurrent, (a, b) => limit(a + b)),
  )

  // h' = z ⊙ h + (1−z) ⊙ n  (keeps),  (1−z) ⊙ h + z ⊙ n  (updates)
  const [kept, taken] = node.update === 'keeps' ? [h, n] : [n, h]
  const next = z.map((zu, u) => zu * kept[u] + (1 - zu) * taken[u])
  return { xz, xr, xn, hz, hr, hn, z, r, n, h: next }
}

/** As `LstmNode` states it. */
export function lstmStep(node: LstmNode, x: Vector, h: Vector, c: Vector): LstmStep {
  const {
    kernel: W,
    recurrentKernel: U,
    inputBias: bi,
    recurrentBias: br,
    peephole: p,
  } = node.weights
  const [σ, φ, ψ] = [node.recurrentActivation, node.activation, node.outputActivation]
  const add = (a: Vector, b: Vector): Vector => zip(a, b, (u, v) => u + v)
  const times = (a: Vector, b: Vector): Vector => zip(a, b, (u, v) => u * v)
  const limit = (a: Vector): Vector => a.map((each) => clip(each, node.clip))
  /** + p ⊙ c */
  const seeing = (a: Vector, gate: 'i' | 'f' | 'o', cell: Vector): Vector =>
    p === null ? a : add(a, times(Array.from(p[gate].data), cell))

  // xi = Wi·x + bii              hi = Ui·h + bri, and so on
  const [xi, xf, xg, xo] = [W.i, W.f, W.g, W.o].map((kernel, k) =>
    affine(x, kernel, bi && [bi.i, bi.f, bi.g, bi.o][k]),
  )
  const [hi, hf, hg, ho] = [U.i, U.f, U.g, U.o].map((kernel, k) =>
    affine(h, kernel, br && [br.i, br.f, br.g, br.o][k]),
  )
  // i = σ(xi + hi + pi ⊙ c)
  const i = apply(σ, limit(seeing(add(xi, hi), 'i', c)))
  // f = σ(xf + hf + pf ⊙ c), or 1 − i
  const f = node.coupled ? i.map((each) => 1 - each) : apply(σ, limit(seeing(add(xf, hf), 'f', c)))
  // g = φ(xg + hg)
  const g = apply(φ, limit(add(xg, hg)))
  // c' = f ⊙ c + i ⊙ g
  const next = add(times(f, c), times(i, g))
  // o = σ(xo + ho + po ⊙ c')
  const o = apply(σ, limit(seeing(add(xo, ho), 'o', next)))
  // h' = o ⊙ ψ(c')
  return { xi, xf, xg, xo, hi, hf, hg, ho, i, f, g, o, c: next, h: times(o, apply(ψ, next)) }
}

/** As `RnnNode` states it. */
export function rnnStep(node: RnnNode, x: Vector, h: Vector): RnnStep {
  const { kernel: W, recurrentKernel: U, inputBias: bi, recurrentBias: br } = node.weights
  // xh = W·x + bi                hh = U·h + br
  const xh = affine(x, W, bi)
  const hh = affine(h, U, br)
  // h' = φ(xh + hh)
  const next = apply(
    node.activation,
    zip(xh, hh, (a, b) => clip(a + b, node.clip)),
  )
  return { xh, hh, h: next }
}
