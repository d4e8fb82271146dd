/** Changes of a GRU layer that hypotheses make: other conventions, other weights. */

import { decodeHalf, encodeHalf } from '../bytes/numbers/half.ts'
import { activation, isElementwise, showActivation } from '../model/activation/activations.ts'
import { transpose } from '../model/axes.ts'
import type { GateOrder, GruConventionKey } from '../model/conventions/conventions.ts'
import { joinGates, splitGates } from '../model/recurrent/gates.ts'
import type { GruNode, GruWeights, LayerNode, PerGate } from '../model/types.ts'
import type { Tensor } from '../tensor.ts'

/** Returns the changed layer; null where the change has no effect on it. */
export type NodeChange = (node: GruNode, value: string) => GruNode | null

export function isGru(node: LayerNode): node is GruNode {
  return node.kind === 'gru'
}

/** The order in which the node's source packed the gates. */
export function gateOrderOf(node: GruNode): GateOrder {
  const said = node.conventions.find(({ key }) => key === 'gateOrder')?.value
  return said === undefined ? 'zrn' : (said as GateOrder)
}

/** The value that a convention has in a node, as the table of conventions names it. */
export function conventionOf(node: GruNode, key: GruConventionKey): string {
  return said[key](node)
}

const said: Readonly<Record<GruConventionKey, (node: GruNode) => string>> = {
  gateOrder: gateOrderOf,
  transposed: (node) => node.conventions.find(({ key }) => key === 'transposed')?.value ?? 'no',
  reset: (node) => (node.resetAfter ? 'after' : 'before'),
  update: (node) => node.update,
  bias: (node) => node.bias,
  activation: (node) => showActivation(node.activation),
  recurrentActivation: (node) => showActivation(node.recurrentActivation),
}

/** The node read under another convention, which is recorded among its conventions. */
export function reread(key: GruConventionKey, why: string): NodeChange {
  return (node, value) => {
    const changed = rereaders[key](node, value)
    if (changed === null) return null
    const others = node.conventions.filter((convention) => convention.key !== key)
    const at = node.conventions.findIndex((convention) => convention.key === key)
    const chosen = { key, value, origin: 'chosen', why } as const
    return { ...changed, conventions: others.toSpliced(at < 0 ? others.length : at, 0, chosen) }
  }
}

const rereaders: Readonly<Record<GruConventionKey, NodeChange>> = {
  gateOrder: (node, order) => {
    const from = gateOrderOf(node)
    // The same block has the name of one gate in one order and of another gate in the other.
    const renamed = (g: string): keyof PerGate<unknown> =>
      from[order.indexOf(g)] as keyof PerGate<unknown>
    return withEachArray(node, (array) => ({
      z: array[renamed('z')],
      r: array[renamed('r')],
      n: array[renamed('n')],
    }))
  },
  // Shapes show it; a transposition of each gate is a hypothesis of its own.
  transposed: () => null,
  reset: (node, value) => ({ ...node, resetAfter: value === 'after' }),
  update: (node, value) => ({ ...node, update: value as GruNode['update'] }),
  bias: (node, value) =>
    node.bias === 'none' ? null : { ...node, bias: value as GruNode['bias'] },
  activation: (node, value) => ({ ...node, activation: cellActivation(value) }),
  recurrentActivation: (node, value) => ({ ...node, recurrentActivation: cellActivation(value) }),
}

function cellActivation(name: string): GruNode['activation'] {
  const act = activation(name)
  return isElementwise(act) ? act : (activation('linear') as GruNode['activation'])
}

function withEachArray(
  node: GruNode,
  change: (array: PerGate<Tensor>, name: keyof GruWeights) => PerGate<Tensor>,
): GruNode {
  const { kernel, recurrentKernel, inputBias, recurrentBias } = node.weights
  const weights = {
    kernel: change(kernel, 'kernel'),
    recurrentKernel: change(recurrentKernel, 'recurrentKernel'),
    inputBias: inputBias && change(inputBias, 'inputBias'),
    recurrentBias: recurrentBias && change(recurrentBias, 'recurrentBias'),
  }
  return { ...node, weights }
}

function withArrays(node: GruNode, changed: Partial<GruWeights>): GruNode {
  return { ...node, weights: { ...node.weights, ...changed } }
}

function perGate(array: PerGate<Tensor>, change: (tensor: Tensor) => Tensor): PerGate<Tensor> {
  return { z: change(array.z), r: change(array.r), n: change(array.n) }
}

function mapNumbers(tensor: Tensor, change: (value: number, i: number) => number): Tensor {
  // A plain loop: a search changes the weights of large models hundreds of times.
  const data = new Float64Array(tensor.data)
  for (let i = 0; i < data.length; i++) data[i] = change(data[i], i)
  return { shape: tensor.shape, data }
}

type Kernel = 'kernel' | 'recurrentKernel'

const isSquare = (node: GruNode, which: Kernel): boolean =>
  which === 'recurrentKernel' || node.features === node.units

/** The matrix of each gate transposed. */
export function transposedGates(which: Kernel): NodeChange {
  return (node) =>
    isSquare(node, which) && node.units > 1
      ? withArrays(node, { [which]: perGate(node.weights[which], transpose) })
      : null
}

/**
 * [rows, 3·units] with the numbers in the order of [3·units, rows]: reshaped instead of transposed.
 */
export function reshapedKernel(which: Kernel): NodeChange {
  return (node) => {
    const order = gateOrderOf(node)
    const packed = joinGates(node.weights[which], order)
    const [rows, columns] = packed.shape
    if (rows === 1) return null
    const there = transpose({ ...packed, shape: [columns, rows] })
    return withArrays(node, { [which]: splitGates({ ...there, shape: [rows, columns] }, order) })
  }
}

export const swappedKernels: NodeChange = (node) => {
  if (node.features !== node.units) return null
  const { kernel, recurrentKernel } = node.weights
  return withArrays(node, { kernel: recurrentKernel, recurrentKernel: kernel })
}

export const swappedBiases: NodeChange = (node) => {
  const { inputBias, recurrentBias } = node.weights
  if (inputBias === null || recurrentBias === null) return null
  return withArrays(node, { inputBias: recurrentBias, recurrentBias: inputBias })
}

/** Without one of the biases, or without both. */
export function withoutBias(which: readonly ('inputBias' | 'recurrentBias')[]): NodeChange {
  return (node) => {
    if (which.some((name) => node.weights[name] === null)) return null
    return withEachArray(node, (array, name) =>
      which.some((each) => each === name)
        ? perGate(array, (bias) => mapNumbers(bias, () => 0))
        : array,
    )
  }
}

/**
 * A loop over units that keeps only its last result: every unit gets the recurrent term of the last
 * unit's candidate. With the reset after the product, every unit also gets the last unit's reset:
 * r_U · (Un·h)_U.
 */
export const lostColumn: NodeChange = (node) => {
  const { units, weights } = node
  if (units === 1) return null
  const lastOnly = (array: Tensor): Tensor =>
    mapNumbers(array, (_, i) => array.data[Math.floor(i / units) * units + units - 1])
  const { recurrentKernel } = weights
  const changed = withArrays(node, {
    recurrentKernel: { ...recurrentKernel, n: lastOnly(recurrentKernel.n) },
  })
  if (!node.resetAfter) return changed
  return withEachArray(changed, (gates) => ({ ...gates, r: lastOnly(gates.r) }))
}

export const float16Weights: NodeChange = (node) =>
  withEachArray(node, (array) => perGate(array, halved))

/** A tensor in float16, cached: the models of a search share most of their tensors. */
function halved(tensor: Tensor): Tensor {
  const known = halves.get(tensor)
  if (known !== undefined) return known
  const made = mapNumbers(tensor, (value) => decodeHalf(encodeHalf(value)))
  halves.set(tensor, made)
  return made
}

const halves = new WeakMap<Tensor, Tensor>()

/** Without a bias, scaling only the kernels is the same as scaling all weights. */
export function canScale({ weights }: GruNode, kernelsOnly: boolean): boolean {
  return !kernelsOnly || weights.inputBias !== null || weights.recurrentBias !== null
}

/** Kernels times a factor; biases too, unless only the kernels are meant. */
export function scaled(kernelsOnly: boolean): NodeChange {
  return (node, value) => {
    const factor = Number(value)
    if (!canScale(node, kernelsOnly)) return null
    return withEachArray(node, (array, name) =>
      kernelsOnly && name.endsWith('Bias')
        ? array
        : perGate(array, (tensor) => mapNumbers(tensor, (each) => each * factor)),
    )
  }
}
