/** GRU, LSTM and RNN as ONNX operators: https://onnx.ai/onnx/operators/onnx__GRU.html and its siblings. */

import { transpose } from '../../model/canonicalize.ts'
import { joinGates } from '../../model/packing.ts'
import type { GruNode, LstmNode, RecurrentNode, RnnNode } from '../../model/types.ts'
import type { Named, Tensor } from '../../tensor.ts'
import { cannotHold } from '../target.ts'
import { bothBiases, keeping, zeros } from '../weights.ts'
import { cellFunctions } from './activations.ts'
import type { Attributes, OnnxBuilder } from './builder.ts'

/** Arrays as ONNX packs them, without the axis of directions. */
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
 * Sequences are [time, batch, features] for ONNX (layout 0, which is all that ONNX Runtime has).
 * @param inputs the names of what arrives, by port.
 * @param outputs the names that results must get, by port.
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
  // Without masks the last output is the state after it.
  for (const port of ['last', 'state'])
    if (outputs[port] !== undefined) g.op('Squeeze', [last, g.ints([0])], {}, outputs[port])
  if (outputs.cell !== undefined) g.op('Squeeze', [cell, g.ints([0])], {}, outputs.cell)
}

const timeFirst: Attributes = { perm: { ints: [1, 0, 2] } }

function gru(node: GruNode, notes: string[]): Packed {
  const weights = keeping(node, 'ONNX', notes)
  const biases = bothBiases(node.units, weights)
  return {
    type: 'GRU',
    kernel: transpose(joinGates(weights.kernel, 'zrn')),
    recurrentKernel: transpose(joinGates(weights.recurrentKernel, 'zrn')),
    biases: biases && [joinGates(biases.input, 'zrn'), joinGates(biases.recurrent, 'zrn')],
    peephole: null,
    attributes: {
      // Said in either case: left out, it is what PyTorch's old exporter forgot.
      linear_before_reset: { int: node.resetAfter ? 1 : 0 },
      ...cellFunctions(node, [node.recurrentActivation, node.activation], ['Sigmoid', 'Tanh']),
    },
  }
}

function lstm(node: LstmNode): Packed {
  const { kernel, recurrentKernel, inputBias, recurrentBias, peephole } = node.weights
  const none = zeros(4 * node.units)
  const { recurrentActivation, activation, outputActivation } = node
  return {
    type: 'LSTM',
    kernel: transpose(joinGates(kernel, 'iofg')),
    recurrentKernel: transpose(joinGates(recurrentKernel, 'iofg')),
    biases:
      inputBias === null && recurrentBias === null
        ? null
        : [
            inputBias === null ? none : joinGates(inputBias, 'iofg'),
            recurrentBias === null ? none : joinGates(recurrentBias, 'iofg'),
          ],
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
  const none = zeros(node.units)
  return {
    type: 'RNN',
    kernel: transpose(kernel),
    recurrentKernel: transpose(recurrentKernel),
    biases:
      inputBias === null && recurrentBias === null
        ? null
        : [inputBias ?? none, recurrentBias ?? none],
    peephole: null,
    attributes: cellFunctions(node, [node.activation], ['Tanh']),
  }
}

function joined(vectors: readonly Tensor[]): Tensor {
  const data = Float64Array.from(vectors.flatMap((each) => Array.from(each.data)))
  return { shape: [data.length], data }
}
