/** Writes nodes of every kind. */

import { transpose } from '../../model/axes.ts'
import type { GateOrder, LstmGateOrder, PeepholeOrder } from '../../model/conventions/choices.ts'
import { joinGates } from '../../model/recurrent/gates.ts'
import type { RecurrentBehaviour } from '../../model/recurrent/packed.ts'
import type { DenseNode, LayerNode, RecurrentNode } from '../../model/types.ts'
import type { Tensor } from '../../tensor.ts'
import { type DescribedKind, descriptions, fieldsOf, forDescribed } from './descriptions.ts'
import { activationField } from './fields.ts'
import type { NodeWriter, NodeWriters } from './node-format.ts'

export const writers: NodeWriters = {
  gru(node) {
    const order = said(node, 'gateOrder', 'zrn') as GateOrder
    return {
      attributes: {
        gateOrder: order,
        transposed: isTransposed(node),
        reset: node.resetAfter ? 'after' : 'before',
        update: node.update,
        bias: node.bias,
        activation: activationField.write(node.activation),
        recurrentActivation: activationField.write(node.recurrentActivation),
        ...writeBehaviour(node),
      },
      arrays: packed(node, (gates) => joinGates(gates, order)),
    }
  },
  lstm(node) {
    const order = said(node, 'lstmGateOrder', 'ifgo') as LstmGateOrder
    const peepholeOrder = said(node, 'peepholeOrder', 'iof') as PeepholeOrder
    const { peephole } = node.weights
    return {
      attributes: {
        gateOrder: order,
        transposed: isTransposed(node),
        forgetGate: node.coupled ? 'coupled' : 'own',
        ...(peephole && { peepholeOrder }),
        activation: activationField.write(node.activation),
        recurrentActivation: activationField.write(node.recurrentActivation),
        outputActivation: activationField.write(node.outputActivation),
        ...writeBehaviour(node),
      },
      arrays: {
        ...packed(node, (gates) => joinGates(gates, order)),
        peephole: peephole && joinGates(peephole, peepholeOrder),
      },
    }
  },
  rnn: (node) => ({
    attributes: {
      transposed: isTransposed(node),
      activation: activationField.write(node.activation),
      ...writeBehaviour(node),
    },
    arrays: packed(node, (array) => array),
  }),
  dense(node) {
    const { kernel, bias } = node.weights
    return {
      attributes: {
        transposed: isTransposed(node),
        activation: activationField.write(node.activation),
      },
      arrays: { kernel: isTransposed(node) ? transpose(kernel) : kernel, bias },
    }
  },
  // A description ties each kind to its node; TypeScript cannot follow that through an index.
  ...(forDescribed(described) as unknown as NodeWriters<DescribedKind>),
}

/** The writer of a kind, from its description. */
function described(kind: DescribedKind): NodeWriter<LayerNode> {
  const { arrays } = descriptions[kind]
  return (node) => {
    const attributes = node as object as Readonly<Record<string, unknown>>
    const weights =
      'weights' in node ? (node.weights as Readonly<Record<string, Tensor | null>>) : {}
    return {
      attributes: Object.fromEntries(
        fieldsOf(kind).map(([key, field]) => [key, field.write(attributes[key])]),
      ),
      arrays: Object.fromEntries(Object.keys(arrays).map((part) => [part, weights[part]])),
    }
  }
}

/** Without the defaults. */
function writeBehaviour({ direction, maskedOutput, clip }: RecurrentNode): RecurrentBehaviour {
  return {
    ...(direction !== 'forward' && { direction }),
    ...(maskedOutput !== 'repeat' && { maskedOutput }),
    ...(clip !== null && { clip }),
  }
}

/** How the source held it, where it was asked. */
function said({ conventions }: RecurrentNode | DenseNode, key: string, otherwise: string): string {
  return conventions.find((each) => each.key === key)?.value ?? otherwise
}

function isTransposed(node: RecurrentNode | DenseNode): boolean {
  return said(node, 'transposed', 'no') === 'yes'
}

/** @param join puts the gates of an array side by side, as the source had them. */
function packed<A extends object>(
  node: RecurrentNode & {
    readonly weights: Readonly<Record<'kernel' | 'recurrentKernel', A>> &
      Readonly<Record<'inputBias' | 'recurrentBias', A | null>>
  },
  join: (array: A) => Tensor,
): Readonly<Record<string, Tensor | null>> {
  const { kernel, recurrentKernel, inputBias, recurrentBias } = node.weights
  const laidOut = isTransposed(node) ? transpose : (matrix: Tensor): Tensor => matrix
  return {
    kernel: laidOut(join(kernel)),
    recurrentKernel: laidOut(join(recurrentKernel)),
    bias: inputBias && join(inputBias),
    recurrentBias: recurrentBias && join(recurrentBias),
  }
}
