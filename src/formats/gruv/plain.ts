/**
 * The description of a model as most are, for pages: GRU and Dense layers whose every attribute is
 * in its place. Whatever is unusual or wrong is for the whole reader (`graph.ts`), which knows every
 * kind of layer and every message.
 */

import type { Convention, ConventionKey } from '../../model/conventions.ts'
import type { PlainArrays, PlainLayer, PlainModel } from '../../model/plain.ts'
import type { Port } from '../../model/types.ts'
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

/** What is usual, of each attribute that a layer has, in the order in which it is recorded. */
const usual: Readonly<
  Record<PlainLayer['kind'], Partial<Record<ConventionKey, readonly unknown[]>>>
> = {
  gru: {
    gateOrder: ['zrn', 'rzn'],
    transposed: [true, false],
    reset: ['after', 'before'],
    update: ['keeps', 'updates'],
    bias: ['separate', 'merged', 'none'],
    activation: ['tanh', 'sigmoid', 'linear', 'relu'],
    recurrentActivation: ['sigmoid', 'tanh', 'linear', 'relu'],
  },
  dense: {
    transposed: [true, false],
    activation: ['linear', 'sigmoid', 'tanh', 'relu', 'softmax'],
  },
}

const parts = ['kernel', 'recurrentKernel', 'bias', 'recurrentBias'] as const

/** What `readGraph` makes a model of; throws where that has to look. */
export function readPlainGraph(
  text: string,
  tensors: Named<Tensor>,
  fallbackName: string,
): PlainModel {
  const graph: PlainGraph = JSON.parse(text)
  const { gruv, name = fallbackName, inputs, outputs, nodes, ...more } = graph
  plain(gruv === 1 && areTexts([name]) && isEmpty(more))
  return {
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
    layers: nodes.map((node) => readNode(node, tensors)),
    warnings: [],
  }
}

function readNode(node: PlainNode, arrays: Named<Tensor>): PlainLayer {
  const { kind, name, inputs, outputs, tensors, ...attributes } = node
  plain(areTexts([name, ...[inputs, outputs, tensors].flatMap(Object.values<unknown>)]))
  plain(kind === 'gru' || kind === 'dense')
  const choices = Object.entries(usual[kind as PlainLayer['kind']])
  plain(choices.length === Object.keys(attributes).length)
  const take = parts.flatMap((part) => {
    if (!Object.hasOwn(tensors, part)) return []
    plain(Object.hasOwn(arrays, tensors[part]))
    return [[part, arrays[tensors[part]]]]
  })
  return {
    kind: kind as PlainLayer['kind'],
    name,
    inputs,
    outputs,
    conventions: choices.map(([key, values]) => {
      plain(values.includes(attributes[key]))
      return conventionOf(key, attributes[key])
    }),
    arrays: Object.fromEntries(take) as PlainArrays,
  }
}

function conventionOf(key: string, said: unknown): Convention {
  const value = typeof said === 'boolean' ? (said ? 'yes' : 'no') : said
  const ground =
    key === 'bias' && value === 'none'
      ? { origin: 'implied', why: 'there are no biases' }
      : { origin: 'stated', why: 'the file says so' }
  return { key, value, ...ground } as Convention
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
