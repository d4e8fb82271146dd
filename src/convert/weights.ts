/** Rearranges weights for the conventions of other formats. */

import type { Activation } from '../model/activation/activations.ts'
import { activationTable } from '../model/activation/table.ts'
import type { GruNode, LstmNode, Model, PerGate, RnnNode } from '../model/types.ts'
import { type Named, sizeOf, type Tensor } from '../tensor.ts'
import { cannotHold } from './target.ts'

/**
 * The weights of a GRU for an update gate that keeps the state, as every framework has it. Where z
 * updates, its parameters change their sign: σ(−a) = 1 − σ(a), without rounding.
 * @throws GruvError `unsupported` where the gates have another activation.
 */
export function keepingWeights(node: GruNode, title: string, notes: string[]): GruNode['weights'] {
  const { weights } = node
  if (node.update === 'keeps') return weights
  if (node.recurrentActivation.kind !== 'sigmoid')
    throw cannotHold(title, node, 'an update gate that updates, without a sigmoid')
  notes.push(
    `${node.name}: z updates the state here and keeps it there, so the parameters of z change their sign`,
  )
  const turned = <T extends PerGate<Tensor> | null>(gates: T): T =>
    gates === null ? gates : { ...gates, z: negated(gates.z) }
  return {
    kernel: turned(weights.kernel),
    recurrentKernel: turned(weights.recurrentKernel),
    inputBias: turned(weights.inputBias),
    recurrentBias: turned(weights.recurrentBias),
  }
}

/**
 * The model without merged biases in GRUs with the reset after the product. The formats have the
 * recurrent bias inside the reset, so both biases are summed beside the input and the inner one is
 * 0.
 */
export function withoutMergedBiases(model: Model, notes: string[]): Model {
  const nodes = model.nodes.map((node) => {
    if (node.kind !== 'gru' || node.bias !== 'merged' || !node.resetAfter) return node
    const { inputBias, recurrentBias } = node.weights
    const none = zeros(node.units)
    const input = inputBias ?? { z: none, r: none, n: none }
    const recurrent = recurrentBias ?? { z: none, r: none, n: none }
    if (recurrentBias !== null)
      notes.push(`${node.name}: the candidate's two biases become one, beside the input`)
    const n = sum(input.n, recurrent.n)
    // One type for all gates, since they are packed into one array.
    const alike = (each: Tensor): Tensor =>
      n.data instanceof Float32Array ? each : { ...each, data: Float64Array.from(each.data) }
    const weights = {
      ...node.weights,
      inputBias: { z: alike(input.z), r: alike(input.r), n },
      recurrentBias: { ...recurrent, n: none },
    }
    return { ...node, bias: 'separate' as const, weights }
  })
  return { ...model, nodes }
}

/** Both biases of a layer, packed, one of which may be zeros; null where there is none. */
export function bothBiases(
  input: Tensor | null,
  recurrent: Tensor | null,
): readonly [Tensor, Tensor] | null {
  const known = input ?? recurrent
  if (known === null) return null
  const none = zeros(...known.shape)
  return [input ?? none, recurrent ?? none]
}

/** Two vectors as the rows of one array, in float32 where both are. */
export function stacked([a, b]: readonly [Tensor, Tensor]): Tensor {
  const single = a.data instanceof Float32Array && b.data instanceof Float32Array
  const both = [...a.data, ...b.data]
  const data = single ? Float32Array.from(both) : Float64Array.from(both)
  return { shape: [2, a.data.length], data }
}

/** The sum of the two biases of a layer; null where there is none. */
export function oneBias<G extends { readonly [Gate in keyof G]: Tensor }>(
  input: G | null,
  recurrent: G | null,
  name: string,
  notes: string[],
): G | null {
  if (input === null || recurrent === null) return input ?? recurrent
  const gates = Object.keys(input) as (keyof G)[]
  if (gates.every((gate) => recurrent[gate].data.every((value) => value === 0))) return input
  notes.push(`${name}: its two biases become their sum`)
  return Object.fromEntries(gates.map((gate) => [gate, sum(input[gate], recurrent[gate])])) as G
}

export function zeros(...shape: readonly number[]): Tensor {
  return { shape, data: new Float32Array(sizeOf(shape)) }
}

export function ones(...shape: readonly number[]): Tensor {
  return { shape, data: new Float32Array(sizeOf(shape)).fill(1) }
}

/**
 * In float32 where both are and the sum fits; the sum of two float32 numbers may need more digits.
 */
function sum(a: Tensor, b: Tensor): Tensor {
  const single = a.data instanceof Float32Array && b.data instanceof Float32Array
  const exact = Float64Array.from(a.data, (value, i) => value + b.data[i])
  const fits = single && exact.every((value) => Math.fround(value) === value)
  return { shape: a.shape, data: fits ? Float32Array.from(exact) : exact }
}

function negated({ shape, data }: Tensor): Tensor {
  return { shape, data: data.map((value) => -value) }
}

/** The model with its weights rounded to float32. */
export function singleWeights(model: Model): Model {
  return mapNumbers(model, (value) => value)
}

/** The same with parameters of activations and epsilons, for formats without float64. */
export function singleModel(model: Model): Model {
  return mapNumbers(model, Math.fround)
}

function mapNumbers(model: Model, round: (value: number) => number): Model {
  const deep = (value: unknown): unknown => {
    // Whole numbers are counts and indices.
    if (typeof value === 'number') return Number.isInteger(value) ? value : round(value)
    if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value
    if (Array.isArray(value)) return value.map(deep)
    if ('data' in value && 'shape' in value) return toSingle(value as Tensor)
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, deep(each)]))
  }
  return { ...model, nodes: model.nodes.map(deep) } as Model
}

export function toSingle(tensor: Tensor): Tensor {
  if (tensor.data instanceof Float32Array) return tensor
  return { shape: tensor.shape, data: Float32Array.from(tensor.data) }
}

export function isSingle({ data }: Tensor): boolean {
  return data instanceof Float32Array || data.every((value) => Math.fround(value) === value)
}

/** @throws GruvError where a cell has a feature that only some formats have. */
export function refuseRareCell(node: GruNode | LstmNode | RnnNode, title: string): void {
  if (node.clip !== null) throw cannotHold(title, node, 'a clip')
  for (const port of ['mask', 'lengths', 'initialState', 'initialCell']) {
    if (node.inputs[port] !== undefined) throw cannotHold(title, node, `a value at port ${port}`)
  }
  if (node.kind !== 'lstm') return
  if (node.coupled) throw cannotHold(title, node, 'coupled gates')
  if (node.weights.peephole !== null) throw cannotHold(title, node, 'peepholes')
}

/** The parameters of an activation, by name. */
export function parametersOf({ kind, parameters }: Activation): Named<number> {
  if (kind === 'softmax') return {}
  const names = Object.keys(activationTable[kind].parameters)
  return Object.fromEntries(names.map((name, i) => [name, parameters[i]]))
}
