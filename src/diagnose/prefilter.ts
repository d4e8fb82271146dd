/**
 * Rejects wrong readings of a model quickly, so that the engine runs only a few of thousands.
 *
 * Readings differ in the names, order and position of the same few products. So the products x·W of
 * the first layers are computed once for all readings, in float64, and a wrong candidate is dropped
 * at its first wrong step. The prefilter accepts nothing by itself: the engine runs what passes.
 */

import { type Activation, isElementwise } from '../model/activation/activations.ts'
import type {
  DenseNode,
  GruNode,
  LayerKind,
  LayerNode,
  MergeNode,
  Model,
  NodeOf,
} from '../model/types.ts'
import { gateOrderOf } from './change.ts'
import { type Data, prefilterBounds, type Target } from './data.ts'
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

/** A GRU layer's conventions, where they are not the model's own. */
export interface Reading {
  readonly gateOrder?: string
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
  readonly test: (readings: (node: GruNode) => Reading) => PrefilterResult
}

/** For graphs with layers that the prefilter does not compute: the engine decides alone. */
export const passEverything: Prefilter = {
  test: () => ({ passed: true, steps: 0, excess: 0 }),
}

/** Rows that are tried; all rows have the same mistakes. */
const MOST_ROWS = 3
const WINDOWS = [1, 4, 16]

/** Whether the prefilter computes every kind of layer in a model. */
export function canPrefilter(model: Model): boolean {
  return model.nodes.every((node) => Object.hasOwn(layers, node.kind))
}

type LayerRun<N extends LayerNode> = (
  prefilter: ModelPrefilter,
  node: N,
  row: number,
  steps: number,
  reading: Reading,
) => void

const layers: { readonly [K in LayerKind]?: LayerRun<NodeOf<K>> } = {
  gru: (prefilter, node, row, steps, reading) => prefilter.gru(node, row, steps, reading),
  dense: (prefilter, node, _, steps) => prefilter.dense(node, steps),
  merge: (prefilter, node, _, steps) => prefilter.merge(node, steps),
  reverse: (prefilter, node) => prefilter.reverse(node),
}

export class ModelPrefilter implements Prefilter {
  private readonly model: Model
  private readonly data: Data
  private readonly bounds: readonly Float64Array[]
  private readonly windows: readonly number[]
  /** For each target, the indices of its vectors within the rows and steps that are tried. */
  private readonly compared: readonly Int32Array[]
  private readonly blocks = new Map<GruNode, Blocks>()
  /** x·W of each layer that reads an input, block by block: [row][step] of [3·units]. */
  private readonly projections = new Map<GruNode, Float64Array[][]>()
  private readonly values = new Map<string, Sequence>()

  constructor(model: Model, data: Data) {
    this.model = model
    this.data = data
    this.bounds = data.targets.map(prefilterBounds)
    this.windows = this.windowsOf()
    this.compared = data.targets.map((target) => withinReach(target, this.windows.at(-1)!))
    for (const node of model.nodes) if (node.kind === 'gru') this.blocks.set(node, blocksOf(node))
  }

  test(readings: (node: GruNode) => Reading): PrefilterResult {
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
    const causal = this.model.nodes.every(
      (node) => node.kind !== 'reverse' && !(node.kind === 'gru' && node.direction === 'backward'),
    )
    const early = this.data.targets.some(({ overTime, places }) => {
      if (!overTime) return false
      for (let i = 1; i < places.length; i += 2) if (places[i] < WINDOWS[0]) return true
      return false
    })
    if (!causal || !early) return [steps]
    return [...WINDOWS.filter((window) => window < steps), Math.min(WINDOWS.at(-1)!, steps)]
  }

  private excessWithin(window: number, readings: (node: GruNode) => Reading): number {
    const { extents, targets, inputs } = this.data
    const rows = Math.min(extents.rows, MOST_ROWS)
    let worst = 0
    for (let row = 0; row < rows; row++) {
      this.values.clear()
      for (const [name, tensor] of Object.entries(inputs))
        this.values.set(name, rowOf(tensor, row, window))
      for (const node of this.model.nodes) {
        const reading = node.kind === 'gru' ? readings(node) : {}
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

  gru(node: GruNode, row: number, window: number, reading: Reading): void {
    const { W, U, bi, br } = this.blocks.get(node)!
    const { units, features } = node
    const order = reading.gateOrder ?? gateOrderOf(node)
    const at = { z: order.indexOf('z'), r: order.indexOf('r'), n: order.indexOf('n') }
    const after = reading.reset === undefined ? node.resetAfter : reading.reset === 'after'
    const keeps = (reading.update ?? node.update) === 'keeps'
    const merged = (reading.bias ?? node.bias) === 'merged'
    const σ = elementwise(reading.recurrentActivation ?? node.recurrentActivation)
    const φ = elementwise(reading.activation ?? node.activation)
    const clip = node.clip ?? Number.POSITIVE_INFINITY
    const limit = (a: number): number => (a > clip ? clip : a < -clip ? -clip : a)

    const { kernelFactor = 1, biasFactor = 1 } = reading
    const bias = (gate: number, u: number): number =>
      ((bi?.[gate][u] ?? 0) + (br?.[gate][u] ?? 0)) * biasFactor

    const x = this.values.get(node.inputs.x)!
    const steps = Math.min(window, x.length)
    const shared = this.model.inputs.some(({ name }) => name === node.inputs.x)
    const given = node.inputs.initialState
    let h = given === undefined ? this.initial(node, row) : this.values.get(given)![0]
    const zero = new Float64Array(3 * units)
    const r = new Float64Array(units)
    const rh = new Float64Array(units)
    const hn = new Float64Array(units)
    const outputs = new Array<Float64Array>(steps)
    for (let i = 0; i < steps; i++) {
      const t = node.direction === 'forward' ? i : steps - 1 - i
      const a = shared ? this.projected(node, W, x[t], row, t) : project(W, x[t], features, units)
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
      outputs[t] = next
      h = next
    }
    this.leave(node, { sequence: outputs, last: [h] })
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

  reverse(node: LayerNode): void {
    this.leave(node, { y: this.values.get(node.inputs.x)!.toReversed() })
  }

  private leave(node: LayerNode, ports: Readonly<Record<string, Sequence>>): void {
    for (const [port, value] of Object.entries(node.outputs)) this.values.set(value, ports[port])
  }

  private initial(node: GruNode, row: number): Float64Array {
    const state = this.data.initial.get(`${node.name}.h`)
    if (state === undefined) return new Float64Array(node.units)
    const from = state.shape.length === 1 ? 0 : row * node.units
    return Float64Array.from(state.data.subarray(from, from + node.units))
  }

  private projected(
    node: GruNode,
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

/** The indices of a target's vectors that lie in the first rows and steps. */
function withinReach({ places, overTime }: Target, steps: number): Int32Array {
  const found: number[] = []
  for (let i = 0; i < places.length / 2; i++)
    if (places[2 * i] < MOST_ROWS && (!overTime || places[2 * i + 1] < steps)) found.push(i)
  return Int32Array.from(found)
}
