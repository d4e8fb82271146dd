/** Layers with a state, in float64, to be read beside the equations in `model/nodes/recurrent.ts`. */

import type { GruNode, LstmNode, RecurrentNode, RnnNode } from '../../model/types.ts'
import type { Named, Tensor } from '../../tensor.ts'
import { type Masks, repeatsState, STEP } from '../masks.ts'
import {
  affine,
  apply,
  clip,
  sequencesOf,
  tensorOf,
  type Vector,
  vectorsOf,
  zeros,
  zip,
} from './vectors.ts'

/** What a GRU cell computes in one step; the names are those of the equations. */
export interface GruStep {
  readonly xz: Vector
  readonly xr: Vector
  readonly xn: Vector
  readonly hz: Vector
  readonly hr: Vector
  readonly hn: Vector
  readonly z: Vector
  readonly r: Vector
  readonly n: Vector
  readonly h: Vector
}

/** What a recurrent layer needs to know of the run it is part of. */
export interface RecurrentContext {
  /** The state that a row starts from, by slot; zeros unless the caller gave one. */
  readonly initial: (slot: string, row: number) => Vector
  readonly final: (slot: string, row: number, state: Vector) => void
  readonly observe?: ((node: GruNode, row: number, t: number, step: GruStep) => void) | undefined
  /** Of the run; a layer's own `mask` or `lengths` go before them. */
  readonly masks: Masks | null
}

/** The state of a layer by slot: `h`, and `c` where there is one. */
type States = Readonly<Record<string, Vector>>

/** Any of them. */
export function recurrentLayer(
  node: RecurrentNode,
  inputs: Named<Tensor>,
  context: RecurrentContext,
): Named<Tensor> {
  if (node.kind === 'gru') return gruLayer(node, inputs, context)
  return node.kind === 'lstm' ? lstmLayer(node, inputs, context) : rnnLayer(node, inputs, context)
}

function gruLayer(node: GruNode, inputs: Named<Tensor>, context: RecurrentContext): Named<Tensor> {
  const { sequence, last, finals } = recur(node, inputs, ['h'], context, (x, { h }, row, t) => {
    const step = gruStep(node, x, h)
    context.observe?.(node, row, t, step)
    return { h: step.h }
  })
  return { sequence, last, state: finals.h }
}

/**
 * One step of one row, as `GruNode` states it. The projections are kept apart from each other and
 * carry their own biases: xz + hz is the pre-activation of z, and so on.
 */
function gruStep(node: GruNode, x: Vector, h: Vector): GruStep {
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

function lstmLayer(
  node: LstmNode,
  inputs: Named<Tensor>,
  context: RecurrentContext,
): Named<Tensor> {
  const { sequence, last, finals } = recur(node, inputs, ['h', 'c'], context, (x, { h, c }) =>
    lstmStep(node, x, h, c),
  )
  return { sequence, last, state: finals.h, cell: finals.c }
}

/** One step of one row, as `LstmNode` states it. */
function lstmStep(node: LstmNode, x: Vector, h: Vector, c: Vector): { h: Vector; c: Vector } {
  const { kernel: W, recurrentKernel: U, inputBias: bi, recurrentBias: br, peephole } = node.weights
  const [σ, φ, ψ] = [node.recurrentActivation, node.activation, node.outputActivation]
  const limit = (a: Vector): Vector => a.map((each) => clip(each, node.clip))
  const add = (a: Vector, b: Vector): Vector => zip(a, b, (p, q) => p + q)
  const times = (a: Vector, b: Vector): Vector => zip(a, b, (p, q) => p * q)
  // W·x + U·h + bi + br
  const sum = (gate: 'i' | 'f' | 'g' | 'o'): Vector =>
    add(affine(x, W[gate], bi?.[gate]), affine(h, U[gate], br?.[gate]))
  // + p ⊙ c
  const seeing = (gate: 'i' | 'f' | 'o', cell: Vector): Vector =>
    peephole === null ? sum(gate) : add(sum(gate), times(Array.from(peephole[gate].data), cell))

  // i = σ(Wi·x + Ui·h + bii + bri + pi ⊙ c)
  const i = apply(σ, limit(seeing('i', c)))
  // f = σ(Wf·x + Uf·h + bif + brf + pf ⊙ c), or 1 − i
  const f = node.coupled ? i.map((each) => 1 - each) : apply(σ, limit(seeing('f', c)))
  // g = φ(Wg·x + Ug·h + big + brg)
  const g = apply(φ, limit(sum('g')))
  // c' = f ⊙ c + i ⊙ g
  const next = add(times(f, c), times(i, g))
  // o = σ(Wo·x + Uo·h + bio + bro + po ⊙ c')
  const o = apply(σ, limit(seeing('o', next)))
  // h' = o ⊙ ψ(c')
  return { h: times(o, apply(ψ, next)), c: next }
}

function rnnLayer(node: RnnNode, inputs: Named<Tensor>, context: RecurrentContext): Named<Tensor> {
  const { kernel: W, recurrentKernel: U, inputBias: bi, recurrentBias: br } = node.weights
  const { sequence, last, finals } = recur(node, inputs, ['h'], context, (x, { h }) => {
    // h' = φ(W·x + U·h + bi + br)
    const a = zip(affine(x, W, bi), affine(h, U, br), (p, q) => clip(p + q, node.clip))
    return { h: apply(node.activation, a) }
  })
  return { sequence, last, state: finals.h }
}

const initialPorts: Readonly<Record<string, string>> = { h: 'initialState', c: 'initialCell' }

/**
 * Rows, steps and masks, the same for every recurrent layer. `step` computes the next states from
 * an input and the states before it; the output is always h.
 */
function recur(
  node: RecurrentNode,
  inputs: Named<Tensor>,
  slots: readonly string[],
  context: RecurrentContext,
  step: (x: Vector, states: States, row: number, t: number) => States,
): { sequence: Tensor; last: Tensor; finals: Readonly<Record<string, Tensor>> } {
  const [rows, steps] = inputs.x.shape
  const finals: Record<string, Vector[]> = Object.fromEntries(slots.map((slot) => [slot, []]))
  const last: Vector[] = []
  const sequence = sequencesOf(inputs.x).flatMap((xs, row) => {
    let states: States = Object.fromEntries(
      slots.map((slot) => {
        const given = inputs[initialPorts[slot]]
        const initial =
          given === undefined ? context.initial(slot, row) : vectorsOf(given, node.units)[row]
        return [slot, initial]
      }),
    )
    const codeAt = whichStepsCount(node, inputs, row, steps, context.masks)
    const missing = inputs.lengths !== undefined || (context.masks?.missing ?? false)
    const outputs = new Array<Vector>(steps)
    let output: Vector = zeros(node.units)
    for (let i = 0; i < steps; i++) {
      const t = node.direction === 'forward' ? i : steps - 1 - i
      const code = codeAt(t)
      if (code === STEP.valid) {
        states = step(xs[t], states, row, t)
        output = states.h
      } else {
        // Passed over: the state stays, the output is the state or zeros.
        output = repeatsState(code, node.maskedOutput, missing) ? states.h : zeros(node.units)
      }
      outputs[t] = output
    }
    for (const slot of slots) {
      context.final(slot, row, states[slot])
      finals[slot].push(states[slot])
    }
    last.push(missing ? states.h : output)
    return outputs
  })
  const shape = [rows, node.units]
  return {
    sequence: tensorOf([rows, steps, node.units], sequence),
    last: tensorOf(shape, last),
    finals: Object.fromEntries(slots.map((slot) => [slot, tensorOf(shape, finals[slot])])),
  }
}

/** The `STEP` code of each timestep of a row; asked in the order of computing. */
function whichStepsCount(
  { direction }: RecurrentNode,
  { mask, lengths }: Named<Tensor>,
  row: number,
  steps: number,
  masks: Masks | null,
): (t: number) => number {
  if (lengths !== undefined) {
    const length = lengths.data[row]
    return (t) => (t < length ? STEP.valid : STEP.empty)
  }
  if (mask !== undefined) {
    let seen = false
    return (t) => {
      if (mask.data[row * steps + t] !== 0) {
        seen = true
        return STEP.valid
      }
      return seen ? STEP.repeat : STEP.empty
    }
  }
  return (t) => masks?.[direction][row * steps + t] ?? STEP.valid
}
