/**
 * A NumPy archive with the weights of one GRU layer as most are, for pages: [inputs, width] by names
 * that are known, with the biases of Keras since TensorFlow 2. All others are for `npz.ts`.
 */

import { plain, readPlainNpz } from '../bytes/plain-npz.ts'
import type { Convention } from '../model/conventions.ts'
import type { PlainModel } from '../model/plain.ts'
import type { Tensor } from '../tensor.ts'

/** What the kernel, the recurrent kernel and the biases are called, and whose names these are. */
const families = [
  [['wMatrix', 'uMatrix', 'biases'], null],
  [['kernel', 'recurrent_kernel', 'bias'], 'Keras'],
  [['W', 'U', 'b'], null],
] as const

type Ground = Pick<Convention, 'origin' | 'why'>

const assumed: Ground = {
  origin: 'assumed',
  why: 'Keras does so, and nothing in the file says otherwise',
}

/** What `readNpzLayer` makes a model of; throws where that has to look. */
export async function readPlain(bytes: Uint8Array, name: string): Promise<PlainModel> {
  const tensors = Object.entries(await readPlainNpz(bytes))
  const named = new Map(tensors.map(([key, tensor]) => [lastComponent(key), tensor]))
  const [names, owner] = families.find(([each]) => each.every((array) => named.has(array)))!
  const [kernel, recurrentKernel, biases] = names.map((array) => named.get(array)!)
  const [rows, width] = biases.shape
  plain(tensors.length === names.length && biases.shape.length === 2 && rows === 2)
  const byNames = owner === null ? assumed : implied(`the array names are ${owner}'s`)
  const evidence = `the biases are ${show(biases)}`
  const row = (from: number): Tensor => ({
    ...biases,
    shape: [width],
    data: biases.data.slice(from, from + width),
  })
  return {
    name,
    source: 'NumPy archive (.npz)',
    inputs: [{ name: 'x', shape: ['batch', 'time', kernel.shape[0]] }],
    outputs: [{ name: 'y', value: 'gru.sequence' }],
    layers: [
      {
        kind: 'gru',
        name: 'gru',
        inputs: { x: 'x' },
        outputs: { sequence: 'gru.sequence' },
        conventions: [
          { key: 'gateOrder', value: 'zrn', ...byNames },
          {
            key: 'transposed',
            value: 'no',
            ...implied(`the recurrent kernel is ${show(recurrentKernel)}`),
          },
          {
            key: 'reset',
            value: 'after',
            ...implied(`${evidence}, as Keras writes reset_after=True`),
          },
          { key: 'update', value: 'keeps', ...byNames },
          { key: 'bias', value: 'separate', ...implied(`${evidence}, as Keras writes them`) },
          { key: 'activation', value: 'tanh', ...assumed },
          { key: 'recurrentActivation', value: 'sigmoid', ...assumed },
        ],
        arrays: { kernel, recurrentKernel, bias: row(0), recurrentBias: row(width) },
      },
    ],
    warnings: [
      `nothing in the file states the ${owner === null ? 'gate order, the update gate, the ' : ''}activation, the recurrent activation: Keras's conventions are assumed`,
    ],
  }
}

function implied(why: string): Ground {
  return { origin: 'implied', why }
}

function show({ shape }: Tensor): string {
  return `[${shape.join(', ')}]`
}

/** Without folders and TensorFlow's `:0`. */
function lastComponent(key: string): string {
  return key.replace(/:\d+$/, '').split(/[/.]/).at(-1)!
}
