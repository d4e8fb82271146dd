/**
 * Turns a graph into a functional model of Keras 3: layers, and the tensors they are called with.
 */

import { GruvError } from '../../errors.ts'
import { valueShapes } from '../../model/graph.ts'
import { isRecurrent } from '../../model/layers.ts'
import { plus } from '../../model/shapes/dims.ts'
import type { Dim, LayerNode, Model, NodeOf, Port, RecurrentNode } from '../../model/types.ts'
import { cannotHold, type OtherNode } from '../target.ts'
import {
  activationName,
  type Described,
  type KerasLayer,
  kerasShape,
  type Origin,
} from './layer.ts'
import { activationLayer, describeLayer, paddingOf, zeroPadding } from './layers.ts'
import { bidirectionalMode, describeBidirectional, describeRecurrent } from './recurrent.ts'

export interface KerasGraph {
  readonly inputs: readonly Origin[]
  readonly layers: readonly KerasLayer[]
  readonly outputs: readonly Origin[]
  readonly notes: readonly string[]
}

/** @throws GruvError `unsupported`, naming the layer that Keras cannot hold. */
export function kerasGraph(model: Model): KerasGraph {
  const builder = new GraphBuilder(model)
  for (const node of model.nodes) builder.add(node)
  return builder.finish()
}

class GraphBuilder {
  readonly #model: Model
  readonly #shapes: ReadonlyMap<string, readonly Dim[]>
  readonly #origins = new Map<string, Origin>()
  readonly #layers: KerasLayer[] = []
  readonly #notes: string[] = []
  readonly #inputs: readonly Origin[]
  readonly #names = new Set<string>()

  constructor(model: Model) {
    this.#model = model
    this.#shapes = valueShapes(model.inputs, model.nodes)
    this.#inputs = model.inputs.map((port) => {
      const { name } = port
      this.#noteAxes(port)
      const shape = this.#shapes.get(name)!
      if (shape[0] !== 'batch') {
        throw new GruvError('unsupported', 'Keras cannot hold an input without a batch', {
          where: name,
        })
      }
      const readers = this.#readersOf(name)
      const indices = readers.length > 0 && readers.every(({ kind }) => kind === 'embedding')
      const origin: Origin = {
        layer: this.#unique(name),
        tensor: 0,
        shape,
        dtype: indices ? 'int32' : 'float32',
      }
      this.#origins.set(name, origin)
      return origin
    })
  }

  add(node: LayerNode): void {
    const made = Object.values(node.outputs)
    if (made.every((value) => this.#origins.has(value))) return
    if (isRecurrent(node)) this.#addRecurrent(node)
    else if (!this.#addMerged(node)) this.#addPlain(node)
  }

  finish(): KerasGraph {
    const outputs = this.#model.outputs.map((port) => {
      this.#noteAxes(port)
      return this.#origins.get(port.value)!
    })
    return { inputs: this.#inputs, layers: this.#layers, outputs, notes: this.#notes }
  }

  #noteAxes({ name, axes }: Port): void {
    if (axes !== undefined) this.#notes.push(`the axes of ${name} are those of Keras: batch first`)
  }

  #addPlain(node: OtherNode): void {
    const other = Object.keys(node.outputs).find((port) => port !== 'y')
    if (other === 'mask')
      throw cannotHold('Keras', node, 'a mask that a layer makes: gruv does not write those')
    if (other !== undefined) throw cannotHold('Keras', node, `the port ${other}`)
    const given = Object.values(node.inputs).map((value) => this.#origins.get(value)!)
    const inputs = node.kind === 'conv1d' ? [this.#padded(node, given[0])] : given
    const layer = this.#push(node.name, describeLayer(node, inputs[0]?.shape ?? []), inputs)
    const origin = this.#made(node.outputs.y, layer)
    // The configuration of another layer has no place for an activation with parameters.
    if (
      (node.kind === 'dense' || node.kind === 'conv1d') &&
      activationName(node.activation) === null
    ) {
      const after = activationLayer(node.activation, `${node.name}_activation`, node)
      this.#made(node.outputs.y, this.#push(`${node.name}_activation`, after, [origin]))
    }
  }

  /** Records which layer makes a value, as which of its outputs. */
  #made(value: string, layer: string, tensor = 0): Origin {
    const origin: Origin = { layer, tensor, shape: this.#shapes.get(value)!, dtype: 'float32' }
    this.#origins.set(value, origin)
    return origin
  }

  /** The input of a convolution, with a ZeroPadding1D where Keras has no name for its padding. */
  #padded(node: NodeOf<'conv1d'>, x: Origin): Origin {
    const { padding } = node
    if (padding === 'same' || paddingOf(node) !== null) return x
    const name = `${node.name}_padding`
    const layer = this.#push(name, zeroPadding(node, name, padding), [x])
    const [batch, steps, features] = x.shape
    const shape = [batch, plus(steps, padding.before + padding.after), features]
    return { layer, tensor: 0, shape, dtype: 'float32' }
  }

  #addRecurrent(node: RecurrentNode): void {
    if (this.#half(node) !== null) return
    const { sequence, last, state, cell } = node.outputs
    const backward = node.direction === 'backward'
    let given = sequence
    if (backward && sequence !== undefined) {
      // Keras returns the steps in the order of computing, so a layer must follow that reverses
      // them.
      const readers = this.#readersOf(sequence)
      const [reverse] = readers
      if (readers.length !== 1 || reverse.kind !== 'reverse' || this.#isOutput(sequence))
        throw cannotHold('Keras', node, 'a backward layer whose steps stay where they are')
      given = reverse.outputs.y
      this.#origins.set(sequence, { layer: '', tensor: 0, shape: [], dtype: 'float32' })
    }
    const states =
      state !== undefined || cell !== undefined || (given !== undefined && last !== undefined)
    const options = { sequences: given !== undefined, states, backward }
    const described = describeRecurrent(node, node.name, options, this.#notes)
    const initial = [node.inputs.initialState, node.inputs.initialCell].flatMap((value) =>
      value === undefined ? [] : [this.#origins.get(value)!],
    )
    const kwargs = initial.length === 0 ? undefined : { initial_state: initial.map(tensorOf) }
    const layer = this.#push(node.name, described, [this.#origins.get(node.inputs.x)!], kwargs)
    if (given !== undefined) this.#made(given, layer)
    if (last !== undefined) this.#made(last, layer, given === undefined ? 0 : 1)
    if (state !== undefined) this.#made(state, layer, 1)
    if (cell !== undefined) this.#made(cell, layer, 2)
  }

  /** The merge of a Bidirectional that this layer is one half of; null where it is none. */
  #half(node: RecurrentNode): NodeOf<'merge'> | null {
    const [value, ...others] = Object.values(node.outputs)
    const readers = this.#readersOf(value)
    const [merge] = readers
    if (others.length > 0 || readers.length !== 1 || merge.kind !== 'merge') return null
    return this.#halves(merge) === null || this.#isOutput(value) ? null : merge
  }

  #halves(merge: NodeOf<'merge'>): readonly [RecurrentNode, RecurrentNode] | null {
    const values = Object.values(merge.inputs)
    if (values.length !== 2 || bidirectionalMode(merge.mode) === undefined) return null
    const [a, b] = values.map((value) =>
      this.#model.nodes.find(
        (node): node is RecurrentNode =>
          isRecurrent(node) && Object.values(node.outputs).includes(value),
      ),
    )
    if (a === undefined || b === undefined || a.kind !== b.kind) return null
    const alike =
      a.direction === 'forward' &&
      b.direction === 'backward' &&
      a.units === b.units &&
      Object.entries(a.inputs).join() === Object.entries(b.inputs).join() &&
      Object.keys(a.inputs).length === 1 &&
      Object.keys(a.outputs).join() === Object.keys(b.outputs).join()
    return alike ? [a, b] : null
  }

  #addMerged(node: OtherNode): boolean {
    if (node.kind !== 'merge') return false
    const halves = this.#halves(node)
    if (halves === null || halves.some((half) => this.#half(half) !== node)) return false
    const sequences = halves[0].outputs.sequence !== undefined
    const parts = halves.map((half, i) =>
      describeRecurrent(
        half,
        `${i === 0 ? 'forward' : 'backward'}_${kerasName(node.name)}`,
        { sequences, states: false, backward: i === 1 },
        this.#notes,
      ),
    )
    const mode = bidirectionalMode(node.mode)!
    const described = describeBidirectional(node.name, mode, parts[0], parts[1])
    const layer = this.#push(node.name, described, [this.#origins.get(halves[0].inputs.x)!])
    this.#made(node.outputs.y, layer)
    return true
  }

  #push(
    wanted: string,
    described: Described,
    inputs: readonly Origin[],
    kwargs: KerasLayer['kwargs'] = {},
  ): string {
    const name = this.#unique(wanted)
    this.#layers.push({ ...described, config: { ...described.config, name }, name, inputs, kwargs })
    return name
  }

  #unique(wanted: string): string {
    const clean = kerasName(wanted)
    let name = clean
    for (let i = 1; this.#names.has(name); i++) name = `${clean}_${i}`
    this.#names.add(name)
    return name
  }

  #readersOf(value: string): readonly LayerNode[] {
    return this.#model.nodes.filter((node) => Object.values(node.inputs).includes(value))
  }

  #isOutput(value: string): boolean {
    return this.#model.outputs.some((output) => output.value === value)
  }
}

/** Keras allows no slash in names, since it separates groups of HDF5. */
function kerasName(name: string): string {
  return name.replaceAll(/[^\w.-]/g, '_') || 'layer'
}

/** A tensor as it stands in `inbound_nodes`. */
export function tensorOf({ layer, tensor, shape, dtype }: Origin): object {
  return {
    class_name: '__keras_tensor__',
    config: { shape: kerasShape(shape), dtype, keras_history: [layer, 0, tensor] },
  }
}
