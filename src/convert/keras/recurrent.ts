/** Describes GRU, LSTM, SimpleRNN and Bidirectional for Keras 3. */

import { joinGates } from '../../model/recurrent/gates.ts'
import type { MergeNode, RecurrentNode } from '../../model/types.ts'
import type { Named, Tensor } from '../../tensor.ts'
import { cannotHold } from '../target.ts'
import { bothBiases, keepingWeights, refuseRareCell, stacked, toSingle } from '../weights.ts'
import {
  type Described,
  described,
  glorot,
  initializer,
  named,
  untrained,
  zerosInitializer,
} from './layer.ts'

const TITLE = 'Keras'

const classNames = { gru: 'GRU', lstm: 'LSTM', rnn: 'SimpleRNN' } as const

/** The outputs that a layer returns, and its direction. */
export interface CallOptions {
  readonly sequences: boolean
  readonly states: boolean
  readonly backward: boolean
}

export function describeRecurrent(
  node: RecurrentNode,
  name: string,
  { sequences, states, backward }: CallOptions,
  notes: string[],
): Described {
  refuseRareKerasCell(node)
  const { arrays, resetAfter } = arraysOf(node, notes)
  return described(
    classNames[node.kind],
    name,
    {
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
    Object.fromEntries(arrays.map((array, i) => [`cell/vars/${i}`, toSingle(array)])),
  )
}

/** Initial states are arguments of the call; other rare features are refused. */
function refuseRareKerasCell(node: RecurrentNode): void {
  const { initialState: _, initialCell: __, ...inputs } = node.inputs
  refuseRareCell({ ...node, inputs }, TITLE)
  if (node.kind === 'lstm' && named(node.outputActivation, node) !== named(node.activation, node))
    throw cannotHold(TITLE, node, 'an LSTM with an output activation of its own')
}

/**
 * Kernel, recurrent kernel, and the bias if there is one. Where Keras has one bias, the two have
 * been summed before.
 */
function arraysOf(
  node: RecurrentNode,
  notes: string[],
): { readonly arrays: readonly Tensor[]; readonly resetAfter?: boolean } {
  if (node.kind === 'rnn') {
    const { kernel, recurrentKernel, inputBias, recurrentBias } = node.weights
    const arrays = [kernel, recurrentKernel, inputBias ?? recurrentBias]
    return { arrays: arrays.filter((array) => array !== null) }
  }
  if (node.kind === 'lstm') {
    const { kernel, recurrentKernel, inputBias, recurrentBias } = node.weights
    const bias = inputBias ?? recurrentBias
    const arrays = [joinGates(kernel, 'ifgo'), joinGates(recurrentKernel, 'ifgo')]
    return { arrays: bias === null ? arrays : [...arrays, joinGates(bias, 'ifgo')] }
  }
  const weights = keepingWeights(node, TITLE, notes)
  const { kernel, recurrentKernel, inputBias, recurrentBias } = weights
  const arrays = [joinGates(kernel, 'zrn'), joinGates(recurrentKernel, 'zrn')]
  const { resetAfter } = node
  const biases = bothBiases(
    inputBias && joinGates(inputBias, 'zrn'),
    recurrentBias && joinGates(recurrentBias, 'zrn'),
  )
  if (biases === null) return { arrays, resetAfter }
  if (resetAfter) return { arrays: [...arrays, stacked(biases)], resetAfter }
  const only = (inputBias ?? recurrentBias)!
  return { arrays: [...arrays, joinGates(only, 'zrn')], resetAfter }
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

/** A forward and a backward layer; the wrapper holds the weights of both. */
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
  const config = {
    merge_mode: mode,
    layer: serialized(forward),
    backward_layer: serialized(backward),
  }
  return described('Bidirectional', name, config, {
    ...under('forward_layer', forward.weights),
    ...under('backward_layer', backward.weights),
  })
}
