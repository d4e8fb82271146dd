/**
 * Models as most are, for pages: GRU and Dense layers, made of packed arrays in a few lines, or not
 * at all. Whatever is unusual or wrong is for `gruNode`, `denseNode` and `createModel`, which know
 * every kind of layer, every rule and every message.
 */

import type { Named, Tensor } from '../tensor.ts'
import type { Activation, ElementwiseActivation } from './activations.ts'
import type { Convention } from './conventions.ts'
import type { Kinds } from './kinds.ts'
import type { DenseNode, Dim, GruNode, Model, PerGate, Port } from './types.ts'

/** What a file says of a model, if it is what it seems. */
export interface PlainModel {
  readonly name: string
  readonly source: string
  readonly inputs: readonly Port[]
  readonly outputs: readonly { readonly name: string; readonly value: string }[]
  readonly layers: readonly PlainLayer[]
  readonly warnings: readonly string[]
}

export interface PlainLayer {
  readonly kind: 'gru' | 'dense'
  readonly name: string
  readonly inputs: Named<string>
  readonly outputs: Named<string>
  /** Every decision that such a layer takes; activations are those without parameters. */
  readonly conventions: readonly Convention[]
  readonly arrays: PlainArrays
}

/** Kernels [inputs, width], or [width, inputs] where they are transposed; biases [width]. */
export interface PlainArrays {
  readonly kernel: Tensor
  /** Of a GRU. */
  readonly recurrentKernel?: Tensor | undefined
  readonly bias?: Tensor | undefined
  readonly recurrentBias?: Tensor | undefined
}

type PlainNode = GruNode | DenseNode

/** A GRU's gates, or all there is of a Dense layer. */
type ByGate = Readonly<Record<keyof PerGate<Tensor> | 'all', Tensor>>

/** What `createModel` gives; throws where that has to look. */
export function plainModel({ layers, outputs, warnings, ...parts }: PlainModel): Model {
  const nodes = layers.map(nodeOf)
  const shapes = plainKinds.shapes({ ...parts, nodes })
  plain([outputs, nodes].every((all) => all.length > 0 && areDistinct(all)))
  plain(outputs.every(({ value }) => shapes.has(value)))
  return frozen({
    ...parts,
    outputs: outputs.map(({ name, value }) => ({ name, value, shape: shapes.get(value)! })),
    nodes,
    reference: null,
    warnings,
  })
}

/** Of GRUs and Dense layers whose only port is `x`, behind one input. */
export const plainKinds: Kinds = {
  shapes: ({ inputs: [input, ...others], nodes }) => {
    plain(input.axes === undefined && others.length === 0)
    const shapes = new Map([[input.name, input.shape]])
    for (const { kind, inputs, outputs, features, units } of nodes as readonly PlainNode[]) {
      const x = shapes.get(inputs.x)!
      const [rows, steps] = x
      const last = [rows, units]
      const leaving: Named<readonly Dim[]> =
        kind === 'gru'
          ? { sequence: [rows, steps, units], last, state: last }
          : { y: [...x.slice(0, -1), units] }
      plain(x.at(-1) === features && (kind === 'dense' || x.length === 3))
      plain(Object.keys(inputs).length === 1)
      for (const [port, value] of Object.entries(outputs)) {
        plain(Object.hasOwn(leaving, port) && !shapes.has(value))
        shapes.set(value, leaving[port])
      }
    }
    return shapes
  },
  statesOf: (node) => (node.kind === 'gru' ? [{ name: `${node.name}.h`, size: node.units }] : []),
}

/** What `gruNode` and `denseNode` give. */
function nodeOf({ kind, name, inputs, outputs, conventions, arrays }: PlainLayer): PlainNode {
  const said = Object.fromEntries(conventions.map(({ key, value }) => [key, value]))
  const flip = said.transposed === 'yes'
  const { kernel, recurrentKernel, bias = null, recurrentBias = null } = arrays
  const [features, width] = flip ? [...kernel.shape].reverse() : kernel.shape
  const gates = kind === 'gru' ? [...said.gateOrder] : ['all']
  const units = width / gates.length
  plain(features > 0 && units > 0)

  /** Each gate's numbers of a kernel, [inputs, units], or of a bias, [units]. */
  const byGate = ({ shape, data, ...rest }: Tensor, inputs?: number): ByGate => {
    const isBias = inputs === undefined
    plain(`${shape}` === `${isBias ? width : flip ? [width, inputs] : [inputs, width]}`)
    plain(isBias ? data.every(isModest) : !odd.some((value) => data.includes(value)))
    const rows = inputs ?? 1
    const [down, across] = flip ? [1, rows] : [width, 1]
    const block = (gate: number): Tensor => {
      const numbers = data.slice(0, rows * units)
      for (let i = 0; i < rows; i++) {
        const from = i * down + gate * units * across
        // Row by row is much faster where the code is not hot yet, as here.
        if (across === 1) numbers.set(data.subarray(from, from + units), i * units)
        else for (let u = 0; u < units; u++) numbers[i * units + u] = data[from + u * across]
      }
      return { shape: isBias ? [units] : [rows, units], data: numbers, ...rest }
    }
    return Object.fromEntries(gates.map((gate, i) => [gate, block(i)])) as ByGate
  }

  const activation = activationOf(said.activation)
  if (kind === 'dense') {
    const weights = { kernel: byGate(kernel, features).all, bias: bias && byGate(bias).all }
    return { kind, name, features, units, activation, conventions, weights, inputs, outputs }
  }
  plain((bias === null) === (said.bias === 'none') && (bias !== null || recurrentBias === null))
  return {
    kind,
    name,
    features,
    units,
    resetAfter: said.reset === 'after',
    update: said.update as GruNode['update'],
    bias: said.bias as GruNode['bias'],
    activation: activation as ElementwiseActivation,
    recurrentActivation: activationOf(said.recurrentActivation) as ElementwiseActivation,
    direction: 'forward',
    maskedOutput: 'repeat',
    clip: null,
    conventions,
    weights: {
      kernel: byGate(kernel, features),
      recurrentKernel: byGate(recurrentKernel!, units),
      inputBias: bias && byGate(bias),
      recurrentBias: recurrentBias && byGate(recurrentBias),
    },
    inputs,
    outputs,
  }
}

function activationOf(kind: string): Activation {
  return { kind: kind as Activation['kind'], parameters: [] }
}

/** In a kernel, of these there is something to say (`warnings.ts`, `stuck.ts`); typed arrays find them fast. */
const odd = [0, Number.NaN, Infinity, -Infinity]

/** A larger bias alone brings `hard_sigmoid` to its end; sigmoid and tanh need more. */
function isModest(bias: number): boolean {
  return Math.abs(bias) < 2.5
}

function areDistinct(all: readonly { readonly name: string }[]): boolean {
  return new Set(all.map(({ name }) => name)).size === all.length
}

/** All the way down, but for typed arrays, which cannot be frozen. */
function frozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value
  Object.values(value).forEach(frozen)
  return Object.freeze(value)
}

/** Otherwise the whole way has to be taken. */
function plain(condition: boolean): void {
  if (!condition) throw new Error('not plain')
}
