/**
 * A NumPy archive with the weights of one GRU layer as most are, for pages: [inputs, width] by names
 * that are known, with the biases of Keras since TensorFlow 2. All others are for `npz.ts`.
 */

import { plain, readPlainNpz } from '../bytes/plain-npz.ts'
import type { Convention } from '../model/conventions.ts'
import type { PlainModel } from '../model/plain.ts'
import type { Named, Tensor } from '../tensor.ts'

export { readPlainNpz }

/** What the kernel, the recurrent kernel and the biases are called, and whose names these are. */
const families = [
  [['wMatrix', 'uMatrix', 'biases'], null],
  [['kernel', 'recurrent_kernel', 'bias'], 'Keras'],
  [['W', 'U', 'b'], null],
] as const

type Ground = readonly [Convention['origin'], why: string]

const assumed: Ground = ['assumed', 'Keras does so, and nothing in the file says otherwise']

/** What `readNpzLayer` makes a model of; throws where that has to look. */
export async function readPlain(bytes: Uint8Array, name: string): Promise<PlainModel> {
  return plainLayer(name, 'NumPy archive (.npz)', await readPlainNpz(bytes))
}

/** What `bareLayer` makes a model of, whatever held the arrays. */
export function plainLayer(name: string, source: string, arrays: Named<Tensor>): PlainModel {
  const tensors = Object.entries(arrays)
  const named = new Map(tensors.map(([key, tensor]) => [lastComponent(key), tensor]))
  const [names, owner] = families.find(([each]) => each.every((array) => named.has(array)))!
  const [kernel, recurrentKernel, biases] = names.map((array) => named.get(array)!)
  const [rows, width] = biases.shape
  plain(tensors.length === names.length && biases.shape.length === 2 && rows === 2)
  const byNames: Ground = owner === null ? assumed : ['implied', `the array names are ${owner}'s`]
  const evidence = `the biases are ${show(biases)}`
  const decisions: readonly (readonly [Convention['key'], value: string, ...Ground])[] = [
    ['gateOrder', 'zrn', ...byNames],
    ['transposed', 'no', 'implied', `the recurrent kernel is ${show(recurrentKernel)}`],
    ['reset', 'after', 'implied', `${evidence}, as Keras writes reset_after=True`],
    ['update', 'keeps', ...byNames],
    ['bias', 'separate', 'implied', `${evidence}, as Keras writes them`],
    ['activation', 'tanh', ...assumed],
    ['recurrentActivation', 'sigmoid', ...assumed],
  ]
  const conventions = decisions.map(([key, value, origin, why]) => ({ key, value, origin, why }))
  const [bias, recurrentBias] = [0, width].map((from) => ({
    ...biases,
    shape: [width],
    data: biases.data.slice(from, from + width),
  }))
  const inputs = { x: 'x' }
  const outputs = { sequence: 'gru.sequence' }
  const packed = { kernel, recurrentKernel, bias, recurrentBias }
  return {
    name,
    source,
    inputs: [{ name: 'x', shape: ['batch', 'time', kernel.shape[0]] }],
    outputs: [{ name: 'y', value: outputs.sequence }],
    layers: [{ kind: 'gru', name: 'gru', inputs, outputs, conventions, arrays: packed }],
    warnings: [
      `nothing in the file states the ${owner === null ? 'gate order, the update gate, the ' : ''}activation, the recurrent activation: Keras's conventions are assumed`,
    ],
  }
}

function show({ shape }: Tensor): string {
  return `[${shape.join(', ')}]`
}

/** Without folders and TensorFlow's `:0`. */
function lastComponent(key: string): string {
  return key.replace(/:\d+$/, '').split(/[/.]/).at(-1)!
}
