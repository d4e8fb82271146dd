/** Writes the weights of one GRU layer as a NumPy archive, with the names of Keras. */

import { writeNpz } from '../bytes/numpy/npz.ts'
import { GruvError } from '../errors.ts'
import type { ReadOptions } from '../formats/format.ts'
import { showActivation } from '../model/activation/activations.ts'
import type { ConventionOptions } from '../model/conventions/conventions.ts'
import { joinGates } from '../model/recurrent/gates.ts'
import type { GruNode, Model } from '../model/types.ts'
import { cannotHold, type Written } from './target.ts'
import { stacked } from './weights.ts'

const TITLE = 'a .npz'

/** @throws GruvError `unsupported` for anything but one GRU layer over a sequence. */
export async function writeNpzLayer(model: Model): Promise<Written> {
  const node = onlyGru(model)
  const { kernel, recurrentKernel, inputBias, recurrentBias } = node.weights
  const input = inputBias && joinGates(inputBias, 'zrn')
  const recurrent = recurrentBias && joinGates(recurrentBias, 'zrn')
  if (input === null && recurrent !== null)
    throw cannotHold(TITLE, node, 'a recurrent bias without an input bias')
  const bias = input && recurrent ? stacked([input, recurrent]) : input
  const conventions = toldConventions(node)
  const said = Object.entries(conventions).map(([key, value]) => `${key} ${value}`)
  return {
    bytes: await writeNpz({
      kernel: joinGates(kernel, 'zrn'),
      recurrent_kernel: joinGates(recurrentKernel, 'zrn'),
      ...(bias && { bias }),
    }),
    notes: [
      'a .npz holds arrays alone: no activation, no direction, nothing of the graph',
      ...(said.length === 0 ? [] : [`who reads it has to be told: ${said.join(', ')}`]),
    ],
    ...(said.length > 0 && { reading: { conventions } satisfies ReadOptions }),
  }
}

function onlyGru({ nodes, inputs, outputs }: Model): GruNode {
  const [node] = nodes
  if (nodes.length !== 1 || node.kind !== 'gru') {
    throw new GruvError('unsupported', 'a .npz holds the weights of one GRU layer', {
      got: nodes
        .map(({ kind }) => kind)
        .join(', ')
        .slice(0, 80),
      fix: 'A gruv model (.safetensors) holds whole networks.',
    })
  }
  if (node.direction !== 'forward') throw cannotHold(TITLE, node, 'a layer that runs backward')
  if (node.clip !== null) throw cannotHold(TITLE, node, 'a clip')
  if (inputs.length > 1 || outputs.length > 1 || outputs[0].value !== node.outputs.sequence)
    throw cannotHold(TITLE, node, 'more than a sequence in and a sequence out')
  return node
}

/** Conventions that do not follow from the names and shapes, as `bareLayer` reads them. */
function toldConventions(node: GruNode): ConventionOptions {
  const { inputBias, recurrentBias } = node.weights
  const implied = inputBias === null || recurrentBias !== null ? 'after' : 'before'
  const reset = node.resetAfter ? 'after' : 'before'
  const placement = recurrentBias === null ? 'merged' : 'separate'
  const activation = showActivation(node.activation)
  const recurrentActivation = showActivation(node.recurrentActivation)
  return {
    ...(reset !== implied && { reset }),
    ...(node.update !== 'keeps' && { update: node.update }),
    ...(node.bias !== 'none' && node.bias !== placement && { bias: node.bias }),
    ...(activation !== 'tanh' && { activation }),
    ...(recurrentActivation !== 'sigmoid' && { recurrentActivation }),
  }
}
