/**
 * The description of a model as most are, for pages: GRU and Dense layers whose every attribute is
 * in its place. Whatever is unusual or wrong is for the whole reader (`graph.ts`), which knows every
 * kind of layer and every message.
 */

import type { Activation, ElementwiseActivation } from '../../model/activations.ts'
import { assembleModel } from '../../model/build.ts'
import { splitGates, transpose } from '../../model/canonicalize.ts'
import { choices } from '../../model/choices.ts'
import type { Convention } from '../../model/conventions.ts'
import type { DenseNode, GruNode, LayerNode, Model, Port, Unwired } from '../../model/types.ts'
import type { Named, Tensor } from '../../tensor.ts'

/** What a description would be if it were what it seems. */
interface PlainGraph {
  readonly gruv: number
  readonly name?: string
  readonly inputs: readonly Port[]
  readonly outputs: readonly { readonly name: string; readonly value: string }[]
  readonly nodes: readonly PlainNode[]
}

interface PlainNode {
  readonly kind: string
  readonly name: string
  readonly inputs: Named<string>
  readonly outputs: Named<string>
  readonly tensors: Named<string>
  readonly [attribute: string]: unknown
}

type Take = (part: string) => Tensor | undefined

/** Attributes and their choices; whatever else a node says is unusual. */
const gruChoices = {
  ...choices,
  transposed: [true, false],
  activation: ['tanh', 'sigmoid', 'linear', 'relu'],
  recurrentActivation: ['sigmoid', 'tanh', 'linear', 'relu'],
} as const
const denseChoices = {
  transposed: [true, false],
  activation: ['linear', 'sigmoid', 'tanh', 'relu', 'softmax'],
} as const

/** What `readGraph` gives; null where that has to look. */
export async function readPlainGraph(
  text: string,
  tensors: Named<Tensor>,
  fallbackName: string,
): Promise<Model | null> {
  try {
    const graph: PlainGraph = JSON.parse(text)
    const { gruv, name = fallbackName, inputs, outputs, nodes, ...more } = graph
    plain(gruv === 1 && areTexts([name]) && isEmpty(more))
    return await assembleModel({
      name,
      source: 'gruv model (.safetensors)',
      inputs: inputs.map(({ name, shape, ...more }) => {
        plain(areTexts([name]) && shape.every(isExtent) && isEmpty(more))
        return { name, shape }
      }),
      outputs: outputs.map(({ name, value, ...more }) => {
        plain(areTexts([name, value]) && isEmpty(more))
        return { name, value }
      }),
      nodes: nodes.map((node) => readNode(node, tensors)),
    })
  } catch {
    // What is wrong, if anything, is told by the whole reader.
    return null
  }
}

function readNode(node: PlainNode, arrays: Named<Tensor>): LayerNode {
  const { kind, name, inputs, outputs, tensors, ...attributes } = node
  plain(areTexts([name, ...[inputs, outputs, tensors].flatMap(Object.values<unknown>)]))
  const take: Take = (part) => {
    if (!Object.hasOwn(tensors, part)) return undefined
    plain(Object.hasOwn(arrays, tensors[part]))
    return arrays[tensors[part]]
  }
  const layer = kind === 'gru' ? readGru(name, attributes, take) : readDense(name, attributes, take)
  plain(layer.kind === kind)
  return { ...layer, inputs, outputs }
}

function readGru(name: string, attributes: Named<unknown>, take: Take): Unwired<GruNode> {
  const said = stated(gruChoices, attributes)
  const [kernel, recurrentKernel] = ['kernel', 'recurrentKernel'].map((part) =>
    laidOut(take(part)!, said.transposed),
  )
  const [features, width] = kernel.shape
  const units = width / 3
  const [inputBias, recurrentBias] = ['bias', 'recurrentBias'].map(take)
  plain(hasShape(recurrentKernel, [units, width]) && features > 0 && units > 0)
  plain(recurrentBias === undefined || inputBias !== undefined)
  plain([inputBias, recurrentBias].every((bias) => bias === undefined || hasShape(bias, [width])))
  plain((inputBias === undefined) === (said.bias === 'none'))
  const split = (packed: Tensor) => splitGates(packed, said.gateOrder)
  return {
    kind: 'gru',
    name,
    features,
    units,
    resetAfter: said.reset === 'after',
    update: said.update,
    bias: said.bias,
    activation: activationOf(said.activation) as ElementwiseActivation,
    recurrentActivation: activationOf(said.recurrentActivation) as ElementwiseActivation,
    direction: 'forward',
    maskedOutput: 'repeat',
    clip: null,
    conventions: conventionsOf(said),
    weights: {
      kernel: split(kernel),
      recurrentKernel: split(recurrentKernel),
      inputBias: inputBias === undefined ? null : split(inputBias),
      recurrentBias: recurrentBias === undefined ? null : split(recurrentBias),
    },
  }
}

function readDense(name: string, attributes: Named<unknown>, take: Take): Unwired<DenseNode> {
  const said = stated(denseChoices, attributes)
  const kernel = laidOut(take('kernel')!, said.transposed)
  const [features, units] = kernel.shape
  const bias = take('bias') ?? null
  plain(features > 0 && units > 0 && (bias === null || hasShape(bias, [units])))
  return {
    kind: 'dense',
    name,
    features,
    units,
    activation: activationOf(said.activation),
    conventions: conventionsOf(said),
    weights: { kernel, bias },
  }
}

type Choices = Named<readonly unknown[]>
type Said<C extends Choices> = { readonly [K in keyof C]: C[K][number] }

/** Each attribute, one of its choices; nothing else. In the order of the choices. */
function stated<C extends Choices>(choices: C, attributes: Named<unknown>): Said<C> {
  const keys = Object.keys(choices)
  plain(keys.length === Object.keys(attributes).length)
  for (const key of keys) plain(choices[key].includes(attributes[key]))
  return Object.fromEntries(keys.map((key) => [key, attributes[key]])) as Said<C>
}

function conventionsOf(said: Named<unknown>): readonly Convention[] {
  return Object.entries(said).map(([key, value]) => {
    const text = typeof value === 'boolean' ? (value ? 'yes' : 'no') : value
    const ground =
      key === 'bias' && value === 'none'
        ? { origin: 'implied', why: 'there are no biases' }
        : { origin: 'stated', why: 'the file says so' }
    return { key, value: text, ...ground } as Convention
  })
}

function activationOf(kind: Activation['kind']): Activation {
  return { kind, parameters: [] }
}

function laidOut(kernel: Tensor, transposed: boolean): Tensor {
  plain(kernel.shape.length === 2)
  return transposed ? transpose(kernel) : kernel
}

function hasShape({ shape }: Tensor, expected: readonly number[]): boolean {
  return `${shape}` === `${expected}`
}

function areTexts(values: readonly unknown[]): boolean {
  return values.every((value) => typeof value === 'string')
}

/** A symbol or a number, as the whole reader has it. */
function isExtent(dim: unknown): boolean {
  if (typeof dim === 'string') return dim !== '' && dim.length <= 100
  return Number.isSafeInteger(dim) && (dim as number) > 0
}

function isEmpty(more: object): boolean {
  return Object.keys(more).length === 0
}

/** Otherwise the whole reader has to look. */
function plain(condition: boolean): void {
  if (!condition) throw new Error('not plain')
}
