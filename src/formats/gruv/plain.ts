/**
 * The description of a model as most are, for pages: one sequence through GRU and Dense layers, every
 * attribute in its place. Whatever is unusual or wrong is for the whole reader (`graph.ts`), which
 * knows every kind of layer and every message.
 */

import { asTexts, plain } from '../../bytes/plain-safetensors.ts'
import type { Convention } from '../../model/conventions.ts'
import type { PlainArrays, PlainLayer, PlainModel } from '../../model/plain.ts'
import type { Named, Tensor } from '../../tensor.ts'

/** What a description would be if it were what it seems. */
interface PlainGraph extends Pick<PlainModel, 'inputs' | 'outputs'> {
  readonly name?: string
  readonly nodes: readonly PlainNode[]
}

interface PlainNode extends Omit<PlainLayer, 'conventions' | 'arrays'> {
  readonly tensors: Named<string>
  readonly [attribute: string]: unknown
}

/** What is usual of each attribute, in the order in which decisions are recorded. */
const usual: Readonly<
  Record<PlainLayer['kind'], Partial<Record<Convention['key'], readonly unknown[]>>>
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

/** What `readGraph` makes a model of; throws where that has to look. */
export function readPlainGraph(
  text: string,
  tensors: Named<Tensor>,
  fallbackName: string,
): PlainModel {
  const graph: PlainGraph = JSON.parse(text)
  const name = graph.name === undefined ? undefined : `${graph.name}`
  const [{ name: input, shape }] = graph.inputs
  const inputs = [{ name: `${input}`, shape: ['batch', 'time', Number(shape[2])] }]
  const outputs = graph.outputs.map(({ name, value }) => ({ name: `${name}`, value: `${value}` }))
  const nodes = graph.nodes.map(asNode)
  // What says the same when it is written again is of these types, and says nothing else.
  plain(JSON.stringify({ gruv: 1, name, inputs, outputs, nodes }) === JSON.stringify(graph))
  return {
    name: name ?? fallbackName,
    source: 'gruv model (.safetensors)',
    inputs,
    outputs,
    layers: nodes.map((node) => layerOf(node, tensors)),
    warnings: [],
  }
}

/** The same node if it is a usual one; else another, or none. */
function asNode(node: PlainNode): PlainNode {
  const kind = node.kind === 'gru' ? 'gru' : 'dense'
  const attributes = Object.entries(usual[kind]).map(([key, values]) => {
    plain(values.includes(node[key]))
    return [key, node[key]]
  })
  return {
    kind,
    name: `${node.name}`,
    inputs: asTexts(node.inputs),
    outputs: asTexts(node.outputs),
    ...Object.fromEntries(attributes),
    tensors: asTexts(node.tensors),
  }
}

function layerOf(
  { kind, name, inputs, outputs, tensors, ...attributes }: PlainNode,
  all: Named<Tensor>,
): PlainLayer {
  const arrays = Object.entries(tensors).map(([part, tensor]) => {
    plain(Object.hasOwn(all, tensor))
    return [part, all[tensor]]
  })
  return {
    kind,
    name,
    inputs,
    outputs,
    conventions: Object.entries(attributes).map(([key, said]) => conventionOf(key, said)),
    arrays: Object.fromEntries(arrays) as PlainArrays,
  }
}

function conventionOf(key: string, said: unknown): Convention {
  const value = typeof said === 'boolean' ? (said ? 'yes' : 'no') : said
  const ground =
    value === 'none'
      ? { origin: 'implied', why: 'there are no biases' }
      : { origin: 'stated', why: 'the file says so' }
  return { key, value, ...ground } as Convention
}
