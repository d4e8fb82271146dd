/** GRU, LSTM, SimpleRNN and Bidirectional as Keras 3 describes them. */

import { joinGates } from '../../model/packing.ts'
import type { MergeNode, RecurrentNode } from '../../model/types.ts'
import type { Named, Tensor } from '../../tensor.ts'
import { cannotHold } from '../target.ts'
import { bothBiases, keeping, plainCell, toSingle } from '../weights.ts'
import {
  base,
  glorot,
  initializer,
  type KerasLayer,
  named,
  untrained,
  zerosInitializer,
} from './layer.ts'

const TITLE = 'Keras'

const classNames = { gru: 'GRU', lstm: 'LSTM', rnn: 'SimpleRNN' } as const

/** Which of its outputs a layer gives, and in which direction it runs. */
export interface Ways {
  readonly sequences: boolean
  readonly states: boolean
  readonly backward: boolean
}

/** A layer but for what arrives at it. */
export type Described = Pick<KerasLayer, 'className' | 'config' | 'weights'>

export function describeRecurrent(
  node: RecurrentNode,
  name: string,
  { sequences, states, backward }: Ways,
  notes: string[],
): Described {
  plainCellWithStates(node)
  const { arrays, resetAfter } = arraysOf(node, notes)
  return {
    className: classNames[node.kind],
    config: {
      ...base(name),
      return_sequences: sequences,
      return_state: states,
      go_backwards: backward,
      stateful: false,
      unroll: false,
      zero_output_for_mask: false,
      units: node.units,
      activation: named(node.activation, node),
      ...(node.kind !== 'rnn' && {
        recurrent_activation: named(node.recurrentActivation, node),
      }),
      use_bias: arrays.length > 2,
      kernel_initializer: glorot,
      recurrent_initializer: initializer('Orthogonal', { seed: null, gain: 1 }),
      bias_initializer: zerosInitializer,
      ...(node.kind === 'lstm' && { unit_forget_bias: true }),
      ...untrained(['kernel', 'recurrent', 'bias']),
      activity_regularizer: null,
      dropout: 0,
      recurrent_dropout: 0,
      ...(node.kind === 'gru' && { reset_after: resetAfter }),
      seed: null,
    },
    weights: Object.fromEntries(arrays.map((array, i) => [`cell/vars/${i}`, toSingle(array)])),
  }
}

/** Initial states are arguments of the call; everything else that is not plain is refused. */
function plainCellWithStates(node: RecurrentNode): void {
  const { initialState: _, initialCell: __, ...inputs } = node.inputs
  plainCell({ ...node, inputs }, TITLE)
  if (node.kind === 'lstm' && named(node.outputActivation, node) !== named(node.activation, node))
    throw cannotHold(TITLE, node, 'an LSTM with an output activation of its own')
}

/** Kernel, recurrent kernel, and the bias if there is one. Where Keras has one bias, two are summed before. */
function arraysOf(
  node: RecurrentNode,
  notes: string[],
): { readonly arrays: readonly Tensor[]; readonly resetAfter?: boolean } {
  if (node.kind === 'rnn') {
    const { kernel, recurrentKernel, inputBias, recurrentBias } = node.weights
    return { arrays: present([kernel, recurrentKernel, inputBias ?? recurrentBias]) }
  }
  if (node.kind === 'lstm') {
    const { kernel, recurrentKernel, inputBias, recurrentBias } = node.weights
    const bias = inputBias ?? recurrentBias
    const arrays = [joinGates(kernel, 'ifgo'), joinGates(recurrentKernel, 'ifgo')]
    return { arrays: bias === null ? arrays : [...arrays, joinGates(bias, 'ifgo')] }
  }
  const weights = keeping(node, TITLE, notes)
  const { kernel, recurrentKernel, inputBias, recurrentBias } = weights
  const arrays = [joinGates(kernel, 'zrn'), joinGates(recurrentKernel, 'zrn')]
  const { resetAfter } = node
  const biases = bothBiases(node.units, weights)
  if (biases === null) return { arrays, resetAfter }
  if (!resetAfter) {
    const only = (inputBias ?? recurrentBias)!
    return { arrays: [...arrays, joinGates(only, 'zrn')], resetAfter }
  }
  const input = joinGates(biases.input, 'zrn')
  const both = [input, joinGates(biases.recurrent, 'zrn')].map(toSingle)
  const data = Float32Array.from(both.flatMap(({ data: numbers }) => Array.from(numbers)))
  return { arrays: [...arrays, { shape: [2, input.data.length], data }], resetAfter }
}

function present(tensors: readonly (Tensor | null)[]): readonly Tensor[] {
  return tensors.filter((tensor) => tensor !== null)
}

const mergeModes: Readonly<Partial<Record<MergeNode['mode'], string>>> = {
  concatenate: 'concat',
  add: 'sum',
  multiply: 'mul',
  average: 'ave',
}

export function bidirectionalMode(mode: MergeNode['mode']): string | undefined {
  return mergeModes[mode]
}

/** A layer and its mirror image; the wrapper holds both whole. */
export function describeBidirectional(
  name: string,
  mode: string,
  forward: Described,
  backward: Described,
): Described {
  const serialized = ({ className, config }: Described): object => ({
    module: 'keras.layers',
    class_name: className,
    config,
    registered_name: null,
  })
  const under = (path: string, weights: Named<Tensor>): Named<Tensor> =>
    Object.fromEntries(Object.entries(weights).map(([key, each]) => [`${path}/${key}`, each]))
  return {
    className: 'Bidirectional',
    config: {
      ...base(name),
      merge_mode: mode,
      layer: serialized(forward),
      backward_layer: serialized(backward),
    },
    weights: {
      ...under('forward_layer', forward.weights),
      ...under('backward_layer', backward.weights),
    },
  }
}
