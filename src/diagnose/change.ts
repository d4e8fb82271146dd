/** Changes of a recurrent layer that hypotheses make: other conventions, other weights. */

import { activation, isElementwise, showActivation } from '../model/activation/activations.ts'
import { transpose } from '../model/axes.ts'
import type { GateOrder, GruConventionKey } from '../model/conventions/conventions.ts'
import { joinGates, splitGates } from '../model/recurrent/gates.ts'
import type { GruNode, LstmNode, RecurrentNode } from '../model/types.ts'
import type { Named, Tensor } from '../tensor.ts'
import { type Rounding, rounded } from './rounding.ts'

/** Returns the changed layer; null where the change has no effect on it. */
export type NodeChange = (node: RecurrentNode, value: string) => RecurrentNode | null

/** The conventions that hypotheses change. */
export type Convention = GruConventionKey | 'lstmGateOrder'

/** The order in which the node's source packed the gates; `h` for the only one of a simple RNN. */
export function orderOf(node: RecurrentNode): string {
  return orders[node.kind](node)
}

const orders: Readonly<Record<RecurrentNode['kind'], (node: RecurrentNode) => string>> = {
  gru: (node) => recorded(node, 'gateOrder') ?? 'zrn',
  lstm: (node) => recorded(node, 'lstmGateOrder') ?? 'ifgo',
  rnn: () => 'h',
}

function recorded({ conventions }: RecurrentNode, key: Convention): string | null {
  return conventions.find((convention) => convention.key === key)?.value ?? null
}

/**
 * The value that a convention has in a node, as the table of conventions names it; null where such
 * a layer has no such convention.
 */
export function conventionOf(node: RecurrentNode, key: Convention): string | null {
  return said[key](node)
}

const ofGru =
  (value: (node: GruNode) => string) =>
  (node: RecurrentNode): string | null =>
    node.kind === 'gru' ? value(node) : null

const said: Readonly<Record<Convention, (node: RecurrentNode) => string | null>> = {
  gateOrder: ofGru(orderOf),
  lstmGateOrder: (node) => (node.kind === 'lstm' ? orderOf(node) : null),
  transposed: (node) => recorded(node, 'transposed') ?? 'no',
  reset: ofGru((node) => (node.resetAfter ? 'after' : 'before')),
  update: ofGru((node) => node.update),
  bias: ofGru((node) => node.bias),
  activation: (node) => showActivation(node.activation),
  recurrentActivation: (node) =>
    node.kind === 'rnn' ? null : showActivation(node.recurrentActivation),
}

/** The node read under another convention, which is recorded among its conventions. */
export function reread(key: Convention, why: string): NodeChange {
  return (node, value) => {
    const changed = rereaders[key](node, value)
    if (changed === null) return null
    const others = node.conventions.filter((convention) => convention.key !== key)
    const at = node.conventions.findIndex((convention) => convention.key === key)
    const chosen = { key, value, origin: 'chosen', why } as const
    return { ...changed, conventions: others.toSpliced(at < 0 ? others.length : at, 0, chosen) }
  }
}

const ofGruOnly =
  (change: (node: GruNode, value: string) => GruNode | null): NodeChange =>
  (node, value) =>
    node.kind === 'gru' ? change(node, value) : null

/** The same block has the name of one gate in one order and of another gate in the other. */
function reordered(node: RecurrentNode, order: string): RecurrentNode {
  const from = orderOf(node)
  return withEachArray(node, (gates) =>
    Object.fromEntries(Object.keys(gates).map((gate) => [gate, gates[from[order.indexOf(gate)]]])),
  )
}

const rereaders: Readonly<Record<Convention, NodeChange>> = {
  gateOrder: (node, order) => (node.kind === 'gru' ? reordered(node, order) : null),
  lstmGateOrder: (node, order) => (node.kind === 'lstm' ? reordered(node, order) : null),
  // Shapes show it; a transposition of each gate is a hypothesis of its own.
  transposed: () => null,
  reset: ofGruOnly((node, value) => ({ ...node, resetAfter: value === 'after' })),
  update: ofGruOnly((node, value) => ({ ...node, update: value as GruNode['update'] })),
  bias: ofGruOnly((node, value) =>
    node.bias === 'none' ? null : { ...node, bias: value as GruNode['bias'] },
  ),
  activation: (node, value) => withActivation(node, cellActivation(value)),
  recurrentActivation: (node, value) =>
    node.kind === 'rnn' ? null : { ...node, recurrentActivation: cellActivation(value) },
}

/** An LSTM whose cell goes out by the same activation goes on doing so. */
function withActivation(node: RecurrentNode, φ: GruNode['activation']): RecurrentNode {
  if (node.kind !== 'lstm' || !sameActivation(node)) return { ...node, activation: φ }
  return { ...node, activation: φ, outputActivation: φ }
}

export function sameActivation({ activation: φ, outputActivation: ψ }: LstmNode): boolean {
  return showActivation(φ) === showActivation(ψ)
}

function cellActivation(name: string): GruNode['activation'] {
  const act = activation(name)
  return isElementwise(act) ? act : (activation('linear') as GruNode['activation'])
}

/** The arrays of trained numbers that every recurrent layer has. */
const arrayNames = ['kernel', 'recurrentKernel', 'inputBias', 'recurrentBias'] as const
type ArrayName = (typeof arrayNames)[number]
type Kernel = 'kernel' | 'recurrentKernel'
type Bias = 'inputBias' | 'recurrentBias'

/** An array by gate; a simple RNN has a single gate, `h`. */
export function gatesOf(node: RecurrentNode, name: Kernel): Named<Tensor>
export function gatesOf(node: RecurrentNode, name: ArrayName): Named<Tensor> | null
export function gatesOf(node: RecurrentNode, name: ArrayName): Named<Tensor> | null {
  const array: object | null = node.weights[name]
  if (array === null) return null
  return node.kind === 'rnn' ? { h: array as Tensor } : (array as Named<Tensor>)
}

/** The node with other arrays, by gate. */
function withArrays(
  node: RecurrentNode,
  changed: Readonly<Partial<Record<ArrayName, Named<Tensor> | null>>>,
): RecurrentNode {
  const arrays = Object.entries(changed).map(([name, gates]) => [
    name,
    node.kind === 'rnn' ? (gates?.h ?? null) : gates,
  ])
  // The gates of an array are those of the node's kind, which a table by name cannot say.
  return { ...node, weights: { ...node.weights, ...Object.fromEntries(arrays) } } as RecurrentNode
}

function withEachArray(
  node: RecurrentNode,
  change: (gates: Named<Tensor>, name: ArrayName) => Named<Tensor>,
): RecurrentNode {
  const changed = arrayNames.map((name) => {
    const gates = gatesOf(node, name)
    return [name, gates && change(gates, name)] as const
  })
  return withArrays(node, Object.fromEntries(changed))
}

function perGate(gates: Named<Tensor>, change: (tensor: Tensor) => Tensor): Named<Tensor> {
  return Object.fromEntries(Object.entries(gates).map(([gate, each]) => [gate, change(each)]))
}

function mapNumbers(tensor: Tensor, change: (value: number, i: number) => number): Tensor {
  // A plain loop: a search changes the weights of large models hundreds of times.
  const data = new Float64Array(tensor.data)
  for (let i = 0; i < data.length; i++) data[i] = change(data[i], i)
  return { shape: tensor.shape, data }
}

const isSquare = (node: RecurrentNode, which: Kernel): boolean =>
  which === 'recurrentKernel' || node.features === node.units

/** The matrix of each gate transposed. */
export function transposedGates(which: Kernel): NodeChange {
  return (node) =>
    isSquare(node, which) && node.units > 1
      ? withArrays(node, { [which]: perGate(gatesOf(node, which), transpose) })
      : null
}

/**
 * [rows, gates·units] with the numbers in the order of [gates·units, rows]: reshaped instead of
 * transposed.
 */
export function reshapedKernel(which: Kernel): NodeChange {
  return (node) => {
    const packed = packedArray(node, which)!
    const [rows, columns] = packed.shape
    if (rows === 1) return null
    const there = transpose({ ...packed, shape: [columns, rows] })
    return withArrays(node, { [which]: unpacked(node, { ...there, shape: [rows, columns] }) })
  }
}

/** The gates of an array side by side, in the order of the source. */
function packedArray(node: RecurrentNode, name: ArrayName): Tensor | null {
  const gates = gatesOf(node, name)
  if (gates === null || node.kind === 'rnn') return gates?.h ?? null
  return joinGates(gates as unknown as GruNode['weights']['kernel'], orderOf(node) as GateOrder)
}

function unpacked(node: RecurrentNode, packed: Tensor): Named<Tensor> {
  if (node.kind === 'rnn') return { h: packed }
  return { ...splitGates(packed, orderOf(node) as GateOrder) }
}

export const swappedKernels: NodeChange = (node) =>
  node.features === node.units
    ? withArrays(node, {
        kernel: gatesOf(node, 'recurrentKernel'),
        recurrentKernel: gatesOf(node, 'kernel'),
      })
    : null

/** Only a GRU has a place where one bias is not as good as the other. */
export const swappedBiases: NodeChange = ofGruOnly((node) => {
  const { inputBias, recurrentBias } = node.weights
  if (inputBias === null || recurrentBias === null) return null
  return {
    ...node,
    weights: { ...node.weights, inputBias: recurrentBias, recurrentBias: inputBias },
  }
})

/** Without one of the biases, or without both. */
export function withoutBias(which: readonly Bias[]): NodeChange {
  return (node) => {
    if (which.some((name) => node.weights[name] === null)) return null
    return withEachArray(node, (gates, name) =>
      which.some((each) => each === name)
        ? perGate(gates, (bias) => mapNumbers(bias, () => 0))
        : gates,
    )
  }
}

/** Without the recurrent bias of a GRU's candidate, b_hn. */
export function withoutCandidateBias(node: GruNode): GruNode | null {
  const { recurrentBias } = node.weights
  if (recurrentBias === null) return null
  const n = mapNumbers(recurrentBias.n, () => 0)
  return { ...node, weights: { ...node.weights, recurrentBias: { ...recurrentBias, n } } }
}

/**
 * A loop over units that keeps only its last result: every unit gets the recurrent term of the last
 * unit's candidate. With the reset after the product, every unit also gets the last unit's reset:
 * r_U · (Un·h)_U.
 */
export const lostColumn: NodeChange = ofGruOnly((node) => {
  const { units, weights } = node
  if (units === 1) return null
  const lastOnly = (array: Tensor): Tensor =>
    mapNumbers(array, (_, i) => array.data[Math.floor(i / units) * units + units - 1])
  const { recurrentKernel } = weights
  const changed: GruNode = {
    ...node,
    weights: {
      ...weights,
      recurrentKernel: { ...recurrentKernel, n: lastOnly(recurrentKernel.n) },
    },
  }
  if (!node.resetAfter) return changed
  return withEachArray(changed, (gates) => ({ ...gates, r: lastOnly(gates.r) })) as GruNode
})

/** Weights rounded as a file or a device rounds them; the kernels alone, or the biases too. */
export function roundedWeights(
  kernelsOnly: boolean,
  rounding: (value: string) => Rounding,
): NodeChange {
  return (node, value) => {
    const { round, over } = rounding(value)
    // Without a bias, rounding the kernels is rounding all weights.
    if (kernelsOnly && !canScale(node, true)) return null
    return withEachArray(node, (gates, name) => {
      if (kernelsOnly && name.endsWith('Bias')) return gates
      if (over !== 'array') return perGate(gates, (tensor) => rounded(tensor, round))
      return unpacked(node, rounded(packedArray(node, name)!, round))
    })
  }
}

/** Without a bias, scaling only the kernels is the same as scaling all weights. */
export function canScale({ weights }: RecurrentNode, kernelsOnly: boolean): boolean {
  return !kernelsOnly || weights.inputBias !== null || weights.recurrentBias !== null
}

/** Kernels times a factor; biases too, unless only the kernels are meant. */
export function scaled(kernelsOnly: boolean): NodeChange {
  return (node, value) => {
    const factor = Number(value)
    if (!canScale(node, kernelsOnly)) return null
    return withEachArray(node, (gates, name) =>
      kernelsOnly && name.endsWith('Bias')
        ? gates
        : perGate(gates, (tensor) => mapNumbers(tensor, (each) => each * factor)),
    )
  }
}
