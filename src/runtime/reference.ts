/**
 * The oracle: every layer in float64, written to be read beside its equations.
 *
 * It shares nothing with the engines but the Model: no plan, no packing, no polynomials. It is slow
 * on purpose. `Math.exp` and `Math.tanh` may differ in the last place between JavaScript engines,
 * so its results are right to about 1e-15, not reproducible to the bit.
 */

import { type Activation, activationTable, isElementwise } from '../model/activations.ts'
import { statesOf } from '../model/layers.ts'
import type { DenseNode, GruNode, LayerKind, LayerNode, MergeNode, Model } from '../model/types.ts'
import type { Named, Tensor, TensorLike } from '../tensor.ts'
import { readInputs, readStates } from './inputs.ts'
import { type MaskOptions, type Masks, readMasks, repeatsState, STEP } from './masks.ts'

/** A value of the graph during a run: [batch][step][unit], with a single step for a mere vector. */
type Rows = readonly (readonly (readonly number[])[])[]

/** What a GRU cell computes in one step; the names are those of the equations. */
export interface GruStep {
  readonly xz: readonly number[]
  readonly xr: readonly number[]
  readonly xn: readonly number[]
  readonly hz: readonly number[]
  readonly hr: readonly number[]
  readonly hn: readonly number[]
  readonly z: readonly number[]
  readonly r: readonly number[]
  readonly n: readonly number[]
  readonly h: readonly number[]
}

export interface ReferenceOptions extends MaskOptions {
  readonly initialState?: TensorLike | Named<TensorLike>
  /** Told of every step of every GRU layer that is computed, in the order of computing. */
  readonly observe?: (node: GruNode, row: number, t: number, step: GruStep) => void
}

export interface ReferenceResult {
  readonly outputs: Named<Tensor>
  /** Final states by name, [batch, size], or [size] for input without a batch axis. */
  readonly states: Named<Tensor>
}

interface Context {
  readonly initial: (node: LayerNode, slot: string, row: number, size: number) => number[]
  readonly final: (node: LayerNode, slot: string, row: number, state: readonly number[]) => void
  readonly observe: ReferenceOptions['observe']
  readonly masks: Masks | null
}

type ReferenceTable = {
  readonly [K in LayerKind]?: (
    node: Extract<LayerNode, { kind: K }>,
    inputs: Named<Rows>,
    context: Context,
  ) => Named<Rows>
}

const referenceTable: ReferenceTable = {
  gru: gruLayer,
  dense: denseLayer,
  merge: mergeLayer,
  reverse: (_, { x }) => ({ y: x.map((steps) => [...steps].reverse()) }),
}

/** Runs a model on whole sequences. Input and output forms are those of `Program.predict`. */
export function runReference(
  model: Model,
  x: TensorLike | Named<TensorLike>,
  options: ReferenceOptions = {},
): ReferenceResult {
  const inputs = readInputs(model.inputs, x)
  const slots = model.nodes.flatMap(statesOf)
  const initial = readStates(slots, options.initialState, inputs.batch)
  const finals = new Map(
    slots.map(({ name, size }) => [name, new Float64Array(inputs.batch * size)]),
  )
  const context: Context = {
    initial: (node, slot, row, size) => {
      const given = initial.get(`${node.name}.${slot}`)
      if (given === undefined) return new Array<number>(size).fill(0)
      const from = given.shape.length === 1 ? 0 : row * size
      return Array.from(given.data.subarray(from, from + size))
    },
    final: (node, slot, row, state) => {
      finals.get(`${node.name}.${slot}`)!.set(state, row * state.length)
    },
    observe: options.observe,
    masks: readMasks(options, inputs.batch, inputs.steps),
  }

  const values = new Map<string, Rows>()
  for (const [name, tensor] of inputs.tensors) values.set(name, toRows(tensor))
  for (const node of model.nodes) {
    const arriving = mapValues(node.inputs, (value) => values.get(value)!)
    const run = referenceTable[node.kind] as (
      n: LayerNode,
      i: Named<Rows>,
      c: Context,
    ) => Named<Rows>
    const leaving = run(node, arriving, context)
    for (const [port, value] of Object.entries(node.outputs)) values.set(value, leaving[port])
  }

  const axes = (shape: readonly number[], overTime: boolean): readonly number[] =>
    inputs.batched ? shape : shape.slice(overTime && !inputs.timed ? 2 : 1)
  return {
    outputs: Object.fromEntries(
      model.outputs.map(({ name, value, shape }) => {
        const overTime = shape.includes('time')
        const rows = values.get(value)!
        const data = Float64Array.from(rows.flat(2))
        const extents = [rows.length, ...(overTime ? [rows[0].length] : []), rows[0][0].length]
        return [name, { shape: axes(extents, overTime), data }]
      }),
    ),
    states: Object.fromEntries(
      slots.map(({ name, size }) => [
        name,
        { shape: axes([inputs.batch, size], false), data: finals.get(name)! },
      ]),
    ),
  }
}

function gruLayer(node: GruNode, { x, initialState }: Named<Rows>, context: Context): Named<Rows> {
  const zeros = new Array<number>(node.units).fill(0)
  const last: (readonly number[])[] = []
  const sequence = x.map((steps, row) => {
    let h: readonly number[] = initialState?.[row][0] ?? context.initial(node, 'h', row, node.units)
    const outputs = new Array<readonly number[]>(steps.length)
    let output: readonly number[] = zeros
    for (let i = 0; i < steps.length; i++) {
      const t = node.direction === 'forward' ? i : steps.length - 1 - i
      const code = context.masks?.[node.direction][row * steps.length + t] ?? STEP.valid
      if (code === STEP.valid) {
        const step = gruStep(node, steps[t], h)
        context.observe?.(node, row, t, step)
        h = step.h
        output = h
      } else {
        // Passed over: the state stays, the output is the state or zeros.
        output = repeatsState(code, node.maskedOutput, context.masks!.missing) ? h : zeros
      }
      outputs[t] = output
    }
    context.final(node, 'h', row, h)
    last.push(context.masks?.missing ? h : output)
    return outputs
  })
  return { sequence, last: last.map((output) => [output]) }
}

/**
 * One step of one row, as `GruNode` states it. The projections are kept apart from each other and
 * carry their own biases: xz + hz is the pre-activation of z, and so on.
 */
function gruStep(node: GruNode, x: readonly number[], h: readonly number[]): GruStep {
  const { kernel: W, recurrentKernel: U, inputBias: bi, recurrentBias: br } = node.weights
  const σ = node.recurrentActivation
  const φ = node.activation
  const zeros = new Array<number>(node.units).fill(0)
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
  const brn = br === null ? zeros : Array.from(br.n.data)
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

/** y = φ(x·K + b) */
function denseLayer(node: DenseNode, { x }: Named<Rows>): Named<Rows> {
  const { kernel, bias } = node.weights
  return {
    y: x.map((steps) =>
      steps.map((xt) => apply(node.activation, affine(xt, kernel, bias ?? undefined))),
    ),
  }
}

/** Element by element, or side by side. */
function mergeLayer({ mode }: MergeNode, inputs: Named<Rows>): Named<Rows> {
  const [first, ...rest] = Object.values(inputs)
  const merge = (vectors: readonly (readonly number[])[]): readonly number[] => {
    if (mode === 'concatenate') return vectors.flat()
    if (mode === 'multiply') return vectors.reduce((a, b) => zip(a, b, (p, q) => p * q))
    const sum = vectors.reduce((a, b) => zip(a, b, (p, q) => p + q))
    return mode === 'add' ? sum : sum.map((each) => each / vectors.length)
  }
  const y = first.map((steps, row) =>
    steps.map((vector, t) => merge([vector, ...rest.map((rows) => rows[row][t])])),
  )
  return { y }
}

/** a, limited to ±limit where there is one; NaN stays NaN. */
function clip(a: number, limit: number | null): number {
  if (limit === null) return a
  return a > limit ? limit : a < -limit ? -limit : a
}

/** x·K + b, for one vector; K is [inputs, units]. */
function affine(x: readonly number[], { data, shape }: Tensor, bias: Tensor | undefined): number[] {
  const units = shape[1]
  return Array.from({ length: units }, (_, u) => {
    let sum = bias?.data[u] ?? 0
    for (let i = 0; i < x.length; i++) sum += data[i * units + u] * x[i]
    return sum
  })
}

function apply(activation: Activation, a: readonly number[]): number[] {
  if (!isElementwise(activation)) return softmax(a)
  const { value } = activationTable[activation.kind]
  return a.map((each) => value(each, activation.parameters))
}

/** e^(a − max a), divided by their sum. */
function softmax(a: readonly number[]): number[] {
  const max = Math.max(...a)
  const e = a.map((each) => Math.exp(each - max))
  const sum = e.reduce((total, each) => total + each, 0)
  return e.map((each) => each / sum)
}

function zip(
  a: readonly number[],
  b: readonly number[],
  f: (a: number, b: number) => number,
): number[] {
  return a.map((each, i) => f(each, b[i]))
}

/** A tensor with all its axes as rows; a vector port counts as a single step. */
function toRows({ shape, data }: Tensor): Rows {
  const [batch, steps, width] = shape.length === 3 ? shape : [shape[0], 1, shape[1]]
  return Array.from({ length: batch }, (_, row) =>
    Array.from({ length: steps }, (_, t) => {
      const from = (row * steps + t) * width
      return Array.from(data.subarray(from, from + width))
    }),
  )
}

function mapValues<A, B>(named: Named<A>, f: (value: A) => B): Named<B> {
  return Object.fromEntries(Object.entries(named).map(([key, value]) => [key, f(value)]))
}
