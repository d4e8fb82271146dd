/** What a hypothesis does to a GRU layer: other conventions, other weights. */

import { decodeHalf, encodeHalf } from '../bytes/half.ts'
import { activation, isElementwise, showActivation } from '../model/activations.ts'
import { splitGates, transpose } from '../model/canonicalize.ts'
import type { GateOrder, GruConventionKey } from '../model/conventions.ts'
import { joinGates } from '../model/packing.ts'
import type { GruNode, GruWeights, LayerNode, PerGate } from '../model/types.ts'
import type { Tensor } from '../tensor.ts'

/** A layer changed; null where the change means nothing to it. */
export type NodeChange = (node: GruNode, value: string) => GruNode | null

export function isGru(node: LayerNode): node is GruNode {
  return node.kind === 'gru'
}

/** The order in which the node's source packed the gates. */
export function gateOrderOf(node: GruNode): GateOrder {
  const said = node.conventions.find(({ key }) => key === 'gateOrder')?.value
  return said === undefined ? 'zrn' : (said as GateOrder)
}

/** What a node does now, in the words of the table of conventions. */
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

/** The node read under another convention; the record of its conventions says so. */
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
    // The block that one order calls by one gate's name, the other calls by another's.
    const renamed = (g: string): keyof PerGate<unknown> =>
      from[order.indexOf(g)] as keyof PerGate<unknown>
    return {
      ...node,
      weights: eachArray(node.weights, (array) => ({
        z: array[renamed('z')],
        r: array[renamed('r')],
        n: array[renamed('n')],
      })),
    }
  },
  // Its shape tells; a transposition gate by gate is a hypothesis of its own.
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

function eachArray(
  weights: GruWeights,
  change: (array: PerGate<Tensor>, name: keyof GruWeights) => PerGate<Tensor>,
): GruWeights {
  const { kernel, recurrentKernel, inputBias, recurrentBias } = weights
  return {
    kernel: change(kernel, 'kernel'),
    recurrentKernel: change(recurrentKernel, 'recurrentKernel'),
    inputBias: inputBias && change(inputBias, 'inputBias'),
    recurrentBias: recurrentBias && change(recurrentBias, 'recurrentBias'),
  }
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

function withKernel(node: GruNode, which: Kernel, kernel: PerGate<Tensor>): GruNode {
  return { ...node, weights: { ...node.weights, [which]: kernel } }
}

const isSquare = (node: GruNode, which: Kernel): boolean =>
  which === 'recurrentKernel' || node.features === node.units

/** Each gate's matrix the other way round. */
export function transposedGates(which: Kernel): NodeChange {
  return (node) =>
    isSquare(node, which) && node.units > 1
      ? withKernel(node, which, perGate(node.weights[which], transpose))
      : null
}

/** [rows, 3·units] whose numbers lie as [3·units, rows] do: reshaped where it had to be transposed. */
export function reshapedKernel(which: Kernel): NodeChange {
  return (node) => {
    const order = gateOrderOf(node)
    const packed = joinGates(node.weights[which], order)
    const [rows, columns] = packed.shape
    if (rows === 1) return null
    const there = transpose({ ...packed, shape: [columns, rows] })
    return withKernel(node, which, splitGates({ ...there, shape: [rows, columns] }, order))
  }
}

export const swappedKernels: NodeChange = (node) => {
  if (node.features !== node.units) return null
  const { kernel, recurrentKernel } = node.weights
  return {
    ...node,
    weights: { ...node.weights, kernel: recurrentKernel, recurrentKernel: kernel },
  }
}

export const swappedBiases: NodeChange = (node) => {
  const { inputBias, recurrentBias } = node.weights
  if (inputBias === null || recurrentBias === null) return null
  return {
    ...node,
    weights: { ...node.weights, inputBias: recurrentBias, recurrentBias: inputBias },
  }
}

/** Without one of the biases, or without both. */
export function withoutBias(which: readonly ('inputBias' | 'recurrentBias')[]): NodeChange {
  return (node) => {
    if (which.some((name) => node.weights[name] === null)) return null
    const zeros = (name: 'inputBias' | 'recurrentBias'): PerGate<Tensor> | null =>
      which.includes(name)
        ? perGate(node.weights[name]!, (bias) => mapNumbers(bias, () => 0))
        : node.weights[name]
    return {
      ...node,
      weights: {
        ...node.weights,
        inputBias: zeros('inputBias'),
        recurrentBias: zeros('recurrentBias'),
      },
    }
  }
}

/**
 * A loop over units that leaves only what it computed last: the candidate's recurrent term of the
 * last unit stands in every unit. Where the reset comes after the product, its own factor is that
 * of the last unit as well: r_U · (Un·h)_U.
 */
export const lostColumn: NodeChange = (node) => {
  const { units, weights } = node
  if (units === 1) return null
  const lastOnly = (array: Tensor): Tensor =>
    mapNumbers(array, (_, i) => array.data[Math.floor(i / units) * units + units - 1])
  const candidate = { ...weights.recurrentKernel, n: lastOnly(weights.recurrentKernel.n) }
  if (!node.resetAfter) return withKernel(node, 'recurrentKernel', candidate)
  const resets = <T extends PerGate<Tensor> | null>(gates: T): T =>
    gates === null ? gates : { ...gates, r: lastOnly(gates.r) }
  return {
    ...node,
    weights: {
      kernel: resets(weights.kernel),
      recurrentKernel: resets(candidate),
      inputBias: resets(weights.inputBias),
      recurrentBias: resets(weights.recurrentBias),
    },
  }
}

export const float16Weights: NodeChange = (node) => ({
  ...node,
  weights: eachArray(node.weights, (array) => perGate(array, halved)),
})

/** A tensor in float16; most of the models of a search share most of their tensors. */
function halved(tensor: Tensor): Tensor {
  const known = halves.get(tensor)
  if (known !== undefined) return known
  const made = mapNumbers(tensor, (value) => decodeHalf(encodeHalf(value)))
  halves.set(tensor, made)
  return made
}

const halves = new WeakMap<Tensor, Tensor>()

/** Without a bias, kernels alone are all there is, and it is the same thing under another name. */
export function canScale({ weights }: GruNode, kernelsOnly: boolean): boolean {
  return !kernelsOnly || weights.inputBias !== null || weights.recurrentBias !== null
}

/** Kernels times a factor; biases too, unless only the kernels are meant. */
export function scaled(kernelsOnly: boolean): NodeChange {
  return (node, value) => {
    const factor = Number(value)
    if (!canScale(node, kernelsOnly)) return null
    return {
      ...node,
      weights: eachArray(node.weights, (array, name) =>
        kernelsOnly && name.endsWith('Bias')
          ? array
          : perGate(array, (tensor) => mapNumbers(tensor, (each) => each * factor)),
      ),
    }
  }
}
