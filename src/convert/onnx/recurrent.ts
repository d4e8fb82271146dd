/** Writes GRU, LSTM and RNN as ONNX operators: https://onnx.ai/onnx/operators/onnx__GRU.html */

import { transpose } from '../../model/axes.ts'
import { joinGates } from '../../model/recurrent/gates.ts'
import type { GruNode, LstmNode, RecurrentNode, RnnNode } from '../../model/types.ts'
import type { Named, Tensor } from '../../tensor.ts'
import { cannotHold } from '../target.ts'
import { bothBiases, keepingWeights } from '../weights.ts'
import { cellFunctions } from './activations.ts'
import type { Attributes, OnnxBuilder } from './builder.ts'

/** Arrays packed as in ONNX, without the axis of directions. */
interface Packed {
  readonly type: 'GRU' | 'LSTM' | 'RNN'
  /** [gates·units, features] */
  readonly kernel: Tensor
  /** [gates·units, units] */
  readonly recurrentKernel: Tensor
  /** [gates·units] each; null for none. */
  readonly biases: readonly [Tensor, Tensor] | null
  readonly peephole: Tensor | null
  readonly attributes: Attributes
}

/**
 * Sequences are [time, batch, features] in ONNX (layout 0, the only one that ONNX Runtime has).
 * @param inputs the names of the inputs, by port.
 * @param outputs the names that the outputs must have, by port.
 */
export function addRecurrent(
  g: OnnxBuilder,
  node: RecurrentNode,
  inputs: Named<string>,
  outputs: Named<string>,
  notes: string[],
): void {
  for (const port of ['mask', 'lengths'])
    if (inputs[port] !== undefined) throw cannotHold('ONNX', node, `a value at port ${port}`)
  const packed =
    node.kind === 'gru' ? gru(node, notes) : node.kind === 'lstm' ? lstm(node) : rnn(node)
  const { units, clip } = node
  const named = (part: string, tensor: Tensor): string =>
    g.weights(`${node.name}.${part}`, { ...tensor, shape: [1, ...tensor.shape] })
  const state = (port: string): string => {
    const value = inputs[port]
    return value === undefined ? '' : g.op('Unsqueeze', [value, g.ints([0])])
  }
  const arriving = [
    g.op('Transpose', [inputs.x], timeFirst),
    named('W', packed.kernel),
    named('R', packed.recurrentKernel),
    packed.biases === null ? '' : named('B', joined(packed.biases)),
    '',
    state('initialState'),
    ...(node.kind === 'lstm' ? [state('initialCell')] : []),
    ...(packed.peephole === null ? [] : [named('P', packed.peephole)]),
  ]
  while (arriving.at(-1) === '') arriving.pop()
  const wants = (...ports: readonly string[]): string =>
    ports.some((port) => outputs[port] !== undefined)
      ? g.unique(`${node.name}.${ports[0]}.onnx`)
      : ''
  const leaving = [wants('sequence'), wants('last', 'state'), wants('cell')]
  while (leaving.at(-1) === '') leaving.pop()
  g.node(
    packed.type,
    arriving,
    {
      hidden_size: { int: units },
      ...(node.direction === 'backward' && { direction: { text: 'reverse' } }),
      ...(clip !== null && { clip: { float: clip } }),
      ...packed.attributes,
    },
    leaving,
  )
  const [sequence, last, cell] = leaving
  if (outputs.sequence !== undefined) {
    const steps = g.op('Squeeze', [sequence, g.ints([1])])
    g.op('Transpose', [steps], timeFirst, outputs.sequence)
  }
  // Without masks, the last output is the final state.
  for (const port of ['last', 'state'])
    if (outputs[port] !== undefined) g.op('Squeeze', [last, g.ints([0])], {}, outputs[port])
  if (outputs.cell !== undefined) g.op('Squeeze', [cell, g.ints([0])], {}, outputs.cell)
}

const timeFirst: Attributes = { perm: { ints: [1, 0, 2] } }

function gru(node: GruNode, notes: string[]): Packed {
  const weights = keepingWeights(node, 'ONNX', notes)
  const { inputBias, recurrentBias } = weights
  return {
    type: 'GRU',
    kernel: transpose(joinGates(weights.kernel, 'zrn')),
    recurrentKernel: transpose(joinGates(weights.recurrentKernel, 'zrn')),
    biases: bothBiases(
      inputBias && joinGates(inputBias, 'zrn'),
      recurrentBias && joinGates(recurrentBias, 'zrn'),
    ),
    peephole: null,
    attributes: {
      // Always explicit, since PyTorch's old exporter forgot it.
      linear_before_reset: { int: node.resetAfter ? 1 : 0 },
      ...cellFunctions(node, [node.recurrentActivation, node.activation], ['Sigmoid', 'Tanh']),
    },
  }
}

function lstm(node: LstmNode): Packed {
  const { kernel, recurrentKernel, inputBias, recurrentBias, peephole } = node.weights
  const { recurrentActivation, activation, outputActivation } = node
  return {
    type: 'LSTM',
    kernel: transpose(joinGates(kernel, 'iofg')),
    recurrentKernel: transpose(joinGates(recurrentKernel, 'iofg')),
    biases: bothBiases(
      inputBias && joinGates(inputBias, 'iofg'),
      recurrentBias && joinGates(recurrentBias, 'iofg'),
    ),
    peephole: peephole && joined([peephole.i, peephole.o, peephole.f]),
    attributes: {
      ...(node.coupled && { input_forget: { int: 1 } }),
      ...cellFunctions(
        node,
        [recurrentActivation, activation, outputActivation],
        ['Sigmoid', 'Tanh', 'Tanh'],
      ),
    },
  }
}

function rnn(node: RnnNode): Packed {
  const { kernel, recurrentKernel, inputBias, recurrentBias } = node.weights
  return {
    type: 'RNN',
    kernel: transpose(kernel),
    recurrentKernel: transpose(recurrentKernel),
    biases: bothBiases(inputBias, recurrentBias),
    peephole: null,
    attributes: cellFunctions(node, [node.activation], ['Tanh']),
  }
}

function joined(vectors: readonly Tensor[]): Tensor {
  const data = Float64Array.from(vectors.flatMap((each) => Array.from(each.data)))
  return { shape: [data.length], data }
}
