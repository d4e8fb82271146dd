/**
 * Rejects wrong readings of a model quickly, so that the engine runs only a few of thousands.
 *
 * Readings differ in the names, order and position of the same few products. So the products x·W of
 * the first layers are computed once for all readings, in float64, and a wrong candidate is dropped
 * at its first wrong step. The prefilter accepts nothing by itself: the engine runs what passes.
 */

import { type Activation, isElementwise } from '../model/activation/activations.ts'
import { valueShapes } from '../model/graph.ts'
import { isRecurrent } from '../model/layers.ts'
import type {
  ActivationNode,
  DenseNode,
  GruNode,
  LayerKind,
  LayerNode,
  LstmNode,
  MergeNode,
  Model,
  NodeOf,
  RecurrentNode,
  RnnNode,
} from '../model/types.ts'
import { repeatsState, STEP } from '../runtime/run/masks.ts'
import { orderOf, sameActivation } from './change.ts'
import { type Data, isCausal, prefilterBounds, type Target } from './data.ts'
import {
  addProduct,
  type Blocks,
  blocksOf,
  elementwise,
  project,
  rowOf,
  type Sequence,
  softmax,
  wide,
} from './products.ts'

/** A recurrent layer's conventions, where they are not the model's own. */
export interface Reading {
  readonly gateOrder?: string
  readonly lstmGateOrder?: string
  readonly reset?: 'after' | 'before'
  readonly update?: 'keeps' | 'updates'
  readonly bias?: 'separate' | 'merged'
  readonly activation?: Activation
  readonly recurrentActivation?: Activation
  /** Factors on the products with W and U, and on the biases; for estimating a factor. */
  readonly kernelFactor?: number
  readonly biasFactor?: number
}

/**
 * How far a candidate stayed right. An excess of 1 is the error that a right candidate may have.
 */
export interface PrefilterResult {
  readonly passed: boolean
  /** The length of the last window that passed. */
  readonly steps: number
  readonly excess: number
}

/** A quick test that candidates must pass before they are run in full. */
export interface Prefilter {
  /** @param readings by layer; a layer whose reading says nothing keeps its own conventions. */
  readonly test: (readings: (node: RecurrentNode) => Reading) => PrefilterResult
}

/** For graphs with layers that the prefilter does not compute: the engine decides alone. */
export const passEverything: Prefilter = {
  test: () => ({ passed: true, steps: 0, excess: 0 }),
}

/** Rows that are tried; all rows have the same mistakes. */
const MOST_ROWS = 3
const WINDOWS = [1, 4, 16]

/** Whether the prefilter computes every layer in a model, on vectors by row and step. */
export function canPrefilter(model: Model, { timed, targets }: Data): boolean {
  const shapes = valueShapes(model.inputs, model.nodes)
  const byRowAndStep = model.inputs.every(
    ({ name, shape }) => shape[0] === 'batch' && shape.length === (timed.has(name) ? 3 : 2),
  )
  const outputs = targets.map(({ name }) => model.outputs.find((port) => port.name === name)!)
  return (
    byRowAndStep &&
    outputs.every(({ shape }) => shape[0] === 'batch' && shape.indexOf('time') < 2) &&
    model.nodes.every((node) => {
      if (!Object.hasOwn(layers, node.kind)) return false
      if (isRecurrent(node)) return isPlain(node)
      if (node.kind === 'activation') return isElementwise(node.activation)
      if (node.kind !== 'reshape') return true
      // Extents of one may come and go: the vectors of all rows and steps stay.
      const [from, to] = [node.inputs.x, node.outputs.y].map((value) =>
        shapes.get(value)!.filter((dim) => dim !== 1),
      )
      return `${from}` === `${to}`
    })
  )
}

/** Without a mask of its own, and with nothing but the equations that all have. */
function isPlain(node: RecurrentNode): boolean {
  const ports = Object.keys(node.inputs)
  if (ports.some((port) => port === 'mask' || port === 'lengths')) return false
  return node.kind !== 'lstm' || (!node.coupled && node.weights.peephole === null)
}

type LayerRun<N extends LayerNode> = (
  prefilter: ModelPrefilter,
  node: N,
  row: number,
  steps: number,
  reading: Reading,
) => void

const layers: { readonly [K in LayerKind]?: LayerRun<NodeOf<K>> } = {
  gru: (prefilter, node, row, steps, reading) =>
    prefilter.recurrent(node, row, steps, gruStep(prefilter, node, reading)),
  lstm: (prefilter, node, row, steps, reading) =>
    prefilter.recurrent(node, row, steps, lstmStep(prefilter, node, reading)),
  rnn: (prefilter, node, row, steps, reading) =>
    prefilter.recurrent(node, row, steps, rnnStep(prefilter, node, reading)),
  dense: (prefilter, node, _, steps) => prefilter.dense(node, steps),
  activation: (prefilter, node) => prefilter.activation(node),
  merge: (prefilter, node, _, steps) => prefilter.merge(node, steps),
  reverse: (prefilter, node) => prefilter.reverse(node),
  reshape: (prefilter, node) => prefilter.pass(node),
}

/** The state of a layer: h, and c in an LSTM. */
interface State {
  readonly h: Float64Array
  readonly c: Float64Array | null
}

/** The state after a step. @param a the products x·W, block by block. */
type Step = (a: Float64Array, state: State) => State

export class ModelPrefilter implements Prefilter {
  private readonly model: Model
  private readonly data: Data
  private readonly bounds: readonly Float64Array[]
  /** Lengths of the beginnings that are tried, in this order. */
  readonly windows: readonly number[]
  /** For each target, the indices of its vectors within the rows and steps that are tried. */
  private readonly compared: readonly Int32Array[]
  private readonly blocks = new Map<RecurrentNode, Blocks>()
  /** x·W of each layer that reads an input, block by block: [row][step] of [gates·units]. */
  private readonly projections = new Map<RecurrentNode, Float64Array[][]>()
  private readonly values = new Map<string, Sequence>()

  constructor(model: Model, data: Data) {
    this.model = model
    this.data = data
    this.bounds = data.targets.map(prefilterBounds)
    this.windows = this.windowsOf()
    this.compared = data.targets.map((target) => withinReach(target, this.windows.at(-1)!))
    for (const node of model.nodes) if (isRecurrent(node)) this.blocks.set(node, blocksOf(node))
  }

  test(readings: (node: RecurrentNode) => Reading): PrefilterResult {
    let steps = 0
    let excess = 0
    for (const window of this.windows) {
      excess = this.excessWithin(window, readings)
      if (!(excess <= 1)) return { passed: false, steps, excess }
      steps = window
    }
    return { passed: true, steps, excess }
  }

  /** Short windows first, where the first steps do not depend on the last. */
  private windowsOf(): readonly number[] {
    const { steps } = this.data.extents
    const early = this.data.targets.some(({ overTime, places }) => {
      if (!overTime) return false
      for (let i = 1; i < places.length; i += 2) if (places[i] < WINDOWS[0]) return true
      return false
    })
    if (!isCausal(this.model) || !early) return [steps]
    return [...WINDOWS.filter((window) => window < steps), Math.min(WINDOWS.at(-1)!, steps)]
  }

  private excessWithin(window: number, readings: (node: RecurrentNode) => Reading): number {
    const { extents, targets, inputs } = this.data
    const rows = Math.min(extents.rows, MOST_ROWS)
    let worst = 0
    for (let row = 0; row < rows; row++) {
      this.values.clear()
      for (const [name, tensor] of Object.entries(inputs))
        this.values.set(name, rowOf(tensor, row, window))
      for (const node of this.model.nodes) {
        const reading = isRecurrent(node) ? readings(node) : {}
        // The table's type ties each kind to its node; TypeScript cannot follow an index.
        const run = layers[node.kind] as LayerRun<LayerNode>
        run(this, node, row, window, reading)
      }
      for (let i = 0; i < targets.length; i++) {
        worst = Math.max(worst, this.excessOf(i, row, window))
        if (!(worst <= 1)) return worst
      }
    }
    return worst
  }

  private excessOf(index: number, row: number, window: number): number {
    const { name, tensor, width, overTime, places } = this.data.targets[index]
    const bounds = this.bounds[index]
    const value = this.model.outputs.find((output) => output.name === name)!.value
    const actual = this.values.get(value)!
    let worst = 0
    for (const i of this.compared[index]) {
      const t = overTime ? places[2 * i + 1] : 0
      if (places[2 * i] !== row || t >= Math.max(window, 1) || t >= actual.length) continue
      for (let u = 0; u < width; u++) {
        const a = actual[t][u]
        const e = tensor.data[i * width + u]
        if (a === e || (Number.isNaN(a) && Number.isNaN(e))) continue
        const excess = Math.abs(a - e) / bounds[i * width + u]
        if (!(excess <= worst)) worst = Number.isNaN(excess) ? Number.POSITIVE_INFINITY : excess
      }
    }
    return worst
  }

  blocksOf(node: RecurrentNode): Blocks {
    return this.blocks.get(node)!
  }

  /** Goes through the steps of a row, and skips those that do not count. */
  recurrent(node: RecurrentNode, row: number, window: number, step: Step): void {
    const { W } = this.blocksOf(node)
    const { features, units } = node
    const x = this.values.get(node.inputs.x)!
    const steps = Math.min(window, x.length)
    const shared = this.model.inputs.some(({ name }) => name === node.inputs.x)
    const masks = this.data.masks
    const given = (port: string, slot: string): Float64Array => {
      const value = node.inputs[port]
      return value === undefined ? this.initial(node, slot, row) : this.values.get(value)![0]
    }
    let state: State = {
      h: given('initialState', 'h'),
      c: node.kind === 'lstm' ? given('initialCell', 'c') : null,
    }
    const nothing = new Float64Array(units)
    const outputs = new Array<Float64Array>(steps)
    let output: Float64Array = nothing
    let code: number = STEP.empty
    for (let i = 0; i < steps; i++) {
      const t = node.direction === 'forward' ? i : steps - 1 - i
      if (masks === null || masks.counts[row * this.data.extents.steps + t] !== 0) {
        const a = shared ? this.projected(node, W, x[t], row, t) : project(W, x[t], features, units)
        state = step(a, state)
        output = state.h
        code = STEP.repeat
      } else {
        output = repeatsState(code, node.maskedOutput, masks.missing) ? state.h : nothing
      }
      outputs[t] = output
    }
    this.leave(node, {
      sequence: outputs,
      last: [masks?.missing ? state.h : output],
      state: [state.h],
      ...(state.c && { cell: [state.c] }),
    })
  }

  dense(node: DenseNode, window: number): void {
    const { kernel, bias } = node.weights
    const W = [wide(kernel)]
    const y = this.values
      .get(node.inputs.x)!
      .slice(0, window)
      .map((x) => {
        const sums = project(W, x, node.features, node.units)
        const biased = bias === null ? sums : sums.map((sum, u) => sum + bias.data[u])
        return isElementwise(node.activation)
          ? biased.map(elementwise(node.activation))
          : softmax(biased)
      })
    this.leave(node, { y })
  }

  merge(node: MergeNode, window: number): void {
    const parts = Object.values(node.inputs).map((value) => this.values.get(value)!)
    const y = parts[0].slice(0, window).map((first, t) => {
      if (node.mode === 'concatenate')
        return Float64Array.from(parts.flatMap((part) => Array.from(part[t])))
      return first.map((_, u) => {
        let value = node.mode === 'multiply' ? 1 : 0
        for (const part of parts)
          value = node.mode === 'multiply' ? value * part[t][u] : value + part[t][u]
        return node.mode === 'average' ? value / parts.length : value
      })
    })
    this.leave(node, { y })
  }

  activation(node: ActivationNode): void {
    const φ = node.activation
    const x = this.values.get(node.inputs.x)!
    this.leave(node, { y: x.map((vector) => vector.map(elementwise(φ))) })
  }

  pass(node: LayerNode): void {
    this.leave(node, { y: this.values.get(node.inputs.x)! })
  }

  reverse(node: LayerNode): void {
    this.leave(node, { y: this.values.get(node.inputs.x)!.toReversed() })
  }

  private leave(node: LayerNode, ports: Readonly<Record<string, Sequence>>): void {
    for (const [port, value] of Object.entries(node.outputs)) this.values.set(value, ports[port])
  }

  private initial(node: RecurrentNode, slot: string, row: number): Float64Array {
    const state = this.data.initial.get(`${node.name}.${slot}`)
    if (state === undefined) return new Float64Array(node.units)
    const from = state.shape.length === 1 ? 0 : row * node.units
    return Float64Array.from(state.data.subarray(from, from + node.units))
  }

  private projected(
    node: RecurrentNode,
    W: readonly Float64Array[],
    x: Float64Array,
    row: number,
    t: number,
  ): Float64Array {
    let rows = this.projections.get(node)
    if (rows === undefined) {
      rows = Array.from({ length: MOST_ROWS }, () => [])
      this.projections.set(node, rows)
    }
    rows[row][t] ??= project(W, x, node.features, node.units)
    return rows[row][t]
  }
}

/** What the steps of every kind of layer have in common. */
function partsOf(prefilter: ModelPrefilter, node: RecurrentNode, reading: Reading) {
  const { U, bi, br } = prefilter.blocksOf(node)
  const { kernelFactor = 1, biasFactor = 1 } = reading
  const clip = node.clip ?? Number.POSITIVE_INFINITY
  const limit = (a: number): number => (a > clip ? clip : a < -clip ? -clip : a)
  const bias = (gate: number, u: number): number =>
    ((bi?.[gate][u] ?? 0) + (br?.[gate][u] ?? 0)) * biasFactor
  return { U, bi, br, kernelFactor, biasFactor, limit, bias }
}

function gruStep(prefilter: ModelPrefilter, node: GruNode, reading: Reading): Step {
  const { U, bi, br, kernelFactor, biasFactor, limit, bias } = partsOf(prefilter, node, reading)
  const { units } = node
  const order = reading.gateOrder ?? orderOf(node)
  const at = { z: order.indexOf('z'), r: order.indexOf('r'), n: order.indexOf('n') }
  const after = reading.reset === undefined ? node.resetAfter : reading.reset === 'after'
  const keeps = (reading.update ?? node.update) === 'keeps'
  const merged = (reading.bias ?? node.bias) === 'merged'
  const σ = elementwise(reading.recurrentActivation ?? node.recurrentActivation)
  const φ = elementwise(reading.activation ?? node.activation)
  const zero = new Float64Array(3 * units)
  const r = new Float64Array(units)
  const rh = new Float64Array(units)
  const hn = new Float64Array(units)
  return (a, { h }) => {
    const atZero = h.every((value) => value === 0)
    // With the reset before the product, n needs r first.
    const b = atZero ? zero : project(U, h, units, units, after ? -1 : at.n)
    const next = new Float64Array(units)
    for (let u = 0; u < units; u++) {
      const p = at.r * units + u
      r[u] = σ(limit((a[p] + b[p]) * kernelFactor + bias(at.r, u)))
      rh[u] = r[u] * h[u]
    }
    hn.fill(0)
    if (after) for (let u = 0; u < units; u++) hn[u] = b[at.n * units + u]
    else if (!atZero) addProduct(hn, 0, U[at.n], rh, units, units)
    for (let u = 0; u < units; u++) {
      const brn = (br?.[at.n][u] ?? 0) * biasFactor
      const xn = a[at.n * units + u] * kernelFactor + (bi?.[at.n][u] ?? 0) * biasFactor
      const inside = after && !merged
      const product = hn[u] * kernelFactor
      const recurrent = after ? r[u] * (product + (inside ? brn : 0)) : product
      const n = φ(limit(xn + recurrent + (inside ? 0 : brn)))
      const p = at.z * units + u
      const z = σ(limit((a[p] + b[p]) * kernelFactor + bias(at.z, u)))
      next[u] = keeps ? z * h[u] + (1 - z) * n : (1 - z) * h[u] + z * n
    }
    return { h: next, c: null }
  }
}

function lstmStep(prefilter: ModelPrefilter, node: LstmNode, reading: Reading): Step {
  const { U, kernelFactor, limit, bias } = partsOf(prefilter, node, reading)
  const { units } = node
  const order = reading.lstmGateOrder ?? orderOf(node)
  const [i, f, g, o] = ['i', 'f', 'g', 'o'].map((gate) => order.indexOf(gate))
  const σ = elementwise(reading.recurrentActivation ?? node.recurrentActivation)
  const φ = elementwise(reading.activation ?? node.activation)
  // As `withActivation` has it.
  const ψ = sameActivation(node) ? φ : elementwise(node.outputActivation)
  return (a, { h, c }) => {
    const b = project(U, h, units, units)
    const pre = (gate: number, u: number): number => {
      const p = gate * units + u
      return limit((a[p] + b[p]) * kernelFactor + bias(gate, u))
    }
    const cell = new Float64Array(units)
    const next = new Float64Array(units)
    for (let u = 0; u < units; u++) {
      cell[u] = σ(pre(f, u)) * c![u] + σ(pre(i, u)) * φ(pre(g, u))
      next[u] = σ(pre(o, u)) * ψ(cell[u])
    }
    return { h: next, c: cell }
  }
}

function rnnStep(prefilter: ModelPrefilter, node: RnnNode, reading: Reading): Step {
  const { U, kernelFactor, limit, bias } = partsOf(prefilter, node, reading)
  const { units } = node
  const φ = elementwise(reading.activation ?? node.activation)
  return (a, { h }) => {
    const b = project(U, h, units, units)
    const next = new Float64Array(units)
    for (let u = 0; u < units; u++) next[u] = φ(limit((a[u] + b[u]) * kernelFactor + bias(0, u)))
    return { h: next, c: null }
  }
}

/** The indices of a target's vectors that lie in the first rows and steps. */
function withinReach({ places, overTime }: Target, steps: number): Int32Array {
  const found: number[] = []
  for (let i = 0; i < places.length / 2; i++)
    if (places[2 * i] < MOST_ROWS && (!overTime || places[2 * i + 1] < steps)) found.push(i)
  return Int32Array.from(found)
}
