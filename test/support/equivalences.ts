/**
 * Reasons why a mistake can leave the outputs of a fixture unchanged. Each reason is checked on its
 * fixture and mistake: by the weights, the inputs or the gates, not by the outputs.
 */

import { changesRun, parseQuirk } from '../../src/diagnose/index.ts'
import { activation, activationTable, type GruNode, type Model } from '../../src/model/index.ts'
import type { GruStep } from '../../src/runtime/reference/cells.ts'
import { readInputs } from '../../src/runtime/run/inputs.ts'
import type { Tensor } from '../../src/tensor.ts'
import { trace } from '../../src/trace/index.ts'
import { FACTOR, type Fixture, gruLayers, moved, withMistake } from './sensitivity.ts'

interface Pair {
  readonly fixture: Fixture
  readonly mistake: string
  readonly right: Model
  readonly wrong: Model
}

/** In this order: the first reason that holds is the simplest. */
const reasons: Readonly<Record<string, (pair: Pair) => boolean>> = {
  'there is no GRU layer': ({ right }) => gruLayers(right).length === 0,

  'the layer comes out the same: equal weights, or biases that only occur as a sum': ({
    mistake,
    right,
    wrong,
  }) => !changesRun(mistake) && sameLayers(right, wrong, ['kernel', 'recurrentKernel', 'biases']),

  'one step from zeros sees no recurrent kernel': ({ fixture, mistake, right, wrong }) =>
    !changesRun(mistake) &&
    fromZeros(fixture) &&
    stepsOf(fixture) === 1 &&
    sameLayers(right, wrong, ['kernel', 'sums', 'candidate bias', 'resets seen']),

  'the state given is zeros': ({ fixture, mistake }) =>
    mistake === 'initial-state-ignored' && fromZeros(fixture),

  'the inputs read the same from both ends': ({ fixture, mistake }) =>
    mistake === 'reversed' && palindrome(fixture),

  'only the middle step moves the state, from either end': ({ fixture, mistake }) =>
    mistake === 'reversed' &&
    fixture.model.nodes.length === 1 &&
    onlyTheMiddleMoves(fixture) &&
    onlyTheMiddleMoves({ ...fixture, input: turnedRound(fixture) }),

  'both halves have the same weights and are merged alike': ({ mistake, right }) =>
    ['backwards', 'halves-swapped', 'half-weights-swapped'].includes(mistake) && equalHalves(right),

  'the two activations agree wherever this layer gets': ({ fixture, mistake }) =>
    agreeOnRange(fixture, mistake),

  'all units do the same, so the reset is one factor': ({ fixture, mistake, right, wrong }) =>
    mistake.startsWith('reset=') &&
    gruLayers(right).every(biasOutside) &&
    gruLayers(wrong).every(biasOutside) &&
    stepsSeen(fixture).every(({ r }) => r.every((value) => near(value, r[0]))),

  'in every unit but the last the candidate is saturated, or z keeps it out': ({
    fixture,
    mistake,
  }) => mistake === 'lost-column' && saturatedButTheLast(fixture),
}

/** Visible in float64, but less than a thousand times the tolerance of the comparison. */
const COARSE = 'float64 shows it; the tolerance of these expected numbers is too coarse'

const SHARP = 1e-10

/** The first reason that holds for a mistake that moves too little; null where there is a gap. */
export function reasonFor(fixture: Fixture, mistake: string): string | null {
  const wrong = withMistake(fixture, mistake)!
  const pair = { fixture, mistake, right: fixture.model, wrong }
  const found = Object.entries(reasons).find(([, holds]) => holds(pair))
  if (found !== undefined) return found[0]
  return holdsCoarse(fixture, mistake) ? COARSE : null
}

export function holds(reason: string, fixture: Fixture, mistake: string): boolean {
  if (reason === COARSE) return holdsCoarse(fixture, mistake)
  const wrong = withMistake(fixture, mistake)
  return wrong !== null && reasons[reason]({ fixture, mistake, right: fixture.model, wrong })
}

function holdsCoarse(fixture: Fixture, mistake: string): boolean {
  const distance = moved(fixture, mistake)!
  return distance >= SHARP && distance < FACTOR * fixture.tolerance
}

type Part = 'kernel' | 'recurrentKernel' | 'biases' | 'sums' | 'candidate bias' | 'resets seen'

/** Whether two models agree in everything that `parts` keeps. */
function sameLayers(a: Model, b: Model, parts: readonly Part[]): boolean {
  const [left, right] = [gruLayers(a), gruLayers(b)]
  if (left.length !== right.length || a.nodes.length !== b.nodes.length) return false
  if (JSON.stringify(wiring(a)) !== JSON.stringify(wiring(b))) return false
  return left.every((node, i) => parts.every((part) => sameIn[part](node, right[i])))
}

function wiring(model: Model): unknown {
  return [
    model.outputs,
    model.nodes.map((node) => [
      node.kind,
      node.inputs,
      node.outputs,
      node.kind === 'gru' && [
        node.direction,
        node.update,
        node.activation,
        node.recurrentActivation,
      ],
    ]),
  ]
}

const gates = ['z', 'r', 'n'] as const
type Gate = (typeof gates)[number]

const sameIn: Readonly<Record<Part, (a: GruNode, b: GruNode) => boolean>> = {
  kernel: (a, b) => gates.every((g) => same(a.weights.kernel[g], b.weights.kernel[g])),
  recurrentKernel: (a, b) =>
    gates.every((g) => same(a.weights.recurrentKernel[g], b.weights.recurrentKernel[g])) &&
    a.resetAfter === b.resetAfter,
  biases: (a, b) => sumsSame(a, b) && candidateBiasSame(a, b) && biasOutside(a) === biasOutside(b),
  sums: sumsSame,
  'candidate bias': candidateBiasSame,
  'resets seen': (a, b) => biasOutside(a) === biasOutside(b),
}

/** Both biases of a gate together, zeros where there are none. */
function sum(
  { weights: { inputBias, recurrentBias }, units }: GruNode,
  g: Gate,
): readonly number[] {
  return Array.from(
    { length: units },
    (_, u) => (inputBias?.[g].data[u] ?? 0) + (recurrentBias?.[g].data[u] ?? 0),
  )
}

function sumsSame(a: GruNode, b: GruNode): boolean {
  return gates.every((g) => sum(a, g).every((value, u) => value === sum(b, g)[u]))
}

/** The recurrent bias of the candidate, where it lies inside the reset. */
function candidateBiasSame(a: GruNode, b: GruNode): boolean {
  const inside = (node: GruNode, u: number): number =>
    node.resetAfter && node.bias === 'separate' ? (node.weights.recurrentBias?.n.data[u] ?? 0) : 0
  return Array.from({ length: a.units }).every((_, u) => inside(a, u) === inside(b, u))
}

/** Only the recurrent product is inside the reset. */
function biasOutside(node: GruNode): boolean {
  const bias = node.weights.recurrentBias
  return (
    !node.resetAfter ||
    node.bias !== 'separate' ||
    bias === null ||
    bias.n.data.every((v) => v === 0)
  )
}

function same(a: Tensor, b: Tensor): boolean {
  return a.data.length === b.data.length && a.data.every((value, i) => value === b.data[i])
}

function fromZeros({ run, model }: Fixture): boolean {
  const { initialState } = run
  if (initialState === undefined)
    return gruLayers(model).every((node) => node.inputs.initialState === undefined)
  return numbers(initialState).every((value) => value === 0)
}

function numbers(value: unknown): readonly number[] {
  if (typeof value === 'number') return [value]
  if (ArrayBuffer.isView(value)) return Array.from(value as Float64Array)
  if (Array.isArray(value)) return value.flatMap(numbers)
  const tensor = value as { readonly data?: unknown }
  return tensor.data === undefined
    ? Object.values(value as object).flatMap(numbers)
    : numbers(tensor.data)
}

function stepsOf({ model, input }: Pick<Fixture, 'model' | 'input'>): number {
  return readInputs(model.inputs, input).steps
}

function palindrome(fixture: Fixture): boolean {
  const { model, input, run } = fixture
  if (run.mask !== undefined || run.lengths !== undefined) return false
  const { tensors } = readInputs(model.inputs, input)
  return tensors.size === 1 && same([...tensors.values()][0], turnedRound(fixture))
}

/** The first input with its steps in the opposite order. */
function turnedRound({ model, input }: Fixture): Tensor {
  const [{ shape, data }] = readInputs(model.inputs, input).tensors.values()
  const [rows, steps, width] = shape
  const turned = data.slice()
  for (let row = 0; row < rows; row++) {
    for (let t = 0; t < steps; t++) {
      const from = (row * steps + t) * width
      turned.set(data.subarray(from, from + width), (row * steps + steps - 1 - t) * width)
    }
  }
  return { shape, data: turned }
}

/** z is exactly 1 and keeps the state at every other step. */
function onlyTheMiddleMoves(fixture: Fixture): boolean {
  const middle = (stepsOf(fixture) - 1) / 2
  let still = true
  observe(fixture, (node, t, { z }) => {
    if (node.update !== 'keeps' || (t !== middle && z.some((value) => value !== 1))) still = false
  })
  return still
}

function equalHalves(model: Model): boolean {
  const [forward, backward, ...more] = gruLayers(model)
  if (backward === undefined || more.length > 0) return false
  const parts = ['kernel', 'recurrentKernel', 'biases'] as const
  return parts.every((part) => sameIn[part](forward, backward))
}

/** Every step of every GRU layer, as the reference computes it. */
function observe(
  { model, input, run }: Fixture,
  visit: (node: GruNode, t: number, step: GruStep) => void,
): void {
  const nodes = new Map(gruLayers(model).map((node) => [node.name, node]))
  for (const { layer, first, steps, values } of trace(model, input, run)) {
    const node = nodes.get(layer)!
    for (let t = 0; t < steps; t++) {
      const step = Object.entries(values).map(([name, data]) => [
        name,
        Array.from(data.subarray(t * node.units, (t + 1) * node.units)),
      ])
      visit(node, first + t, Object.fromEntries(step) as GruStep)
    }
  }
}

function stepsSeen(fixture: Fixture): readonly GruStep[] {
  const steps: GruStep[] = []
  observe(fixture, (_node, _t, step) => steps.push(step))
  return steps
}

/** The pre-activations that occur, solved from the trace, none of which shows the difference. */
function agreeOnRange(fixture: Fixture, mistake: string): boolean {
  const { name, value } = parseQuirk(mistake)
  if (name !== 'activation' && name !== 'recurrent-activation') return false
  const other = activation(value!)
  if (other.kind === 'softmax') return false
  let seen = 0
  let agree = true
  observe(fixture, (node, _t, { xz, xr, xn, hz, hr, hn, r, z, n }) => {
    const own = name === 'activation' ? node.activation : node.recurrentActivation
    const apply = ({ kind, parameters }: typeof own, a: number): number =>
      activationTable[kind].value(a, parameters)
    const pairs: [number, number][] = []
    for (let u = 0; u < n.length; u++) {
      if (name === 'activation') pairs.push([xn[u] + (node.resetAfter ? r[u] : 1) * hn[u], n[u]])
      else pairs.push([xz[u] + hz[u], z[u]], [xr[u] + hr[u], r[u]])
    }
    for (const [a, result] of pairs) {
      seen++
      // The solution reproduces the trace, and the other activation gives the same values.
      if (!near(apply(own, a), result) || !near(apply(other as typeof own, a), result))
        agree = false
    }
  })
  return seen > 0 && agree
}

/** After the first step, (1−z)·(1−n²) is what a tanh candidate passes on of a change. */
function saturatedButTheLast(fixture: Fixture): boolean {
  if (!fromZeros(fixture)) return false
  let saturated = true
  observe(fixture, (node, t, { z, n }) => {
    if (node.resetAfter || node.update !== 'keeps' || node.activation.kind !== 'tanh')
      saturated = false
    for (let u = 0; t > 0 && u < n.length - 1; u++)
      if ((1 - z[u]) * (1 - n[u] ** 2) > 1e-12) saturated = false
  })
  return saturated
}

function near(a: number, b: number): boolean {
  return Math.abs(a - b) <= 1e-12 * Math.max(1, Math.abs(a))
}
