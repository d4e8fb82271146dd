/** Reads nodes of every kind. */

import type { LstmGateOrder, PeepholeOrder } from '../../model/conventions/choices.ts'
import { lstmNode } from '../../model/recurrent/lstm.ts'
import { rnnNode } from '../../model/recurrent/rnn.ts'
import type { LayerNode } from '../../model/types.ts'
import { coreReaders } from './core-nodes.ts'
import { type DescribedKind, descriptions, fieldsOf, forDescribed } from './descriptions.ts'
import type { NodeReader, NodeReaders } from './node-format.ts'
import {
  convention,
  packedArrays,
  readActivation,
  readBehaviour,
  readTransposed,
  required,
} from './packed.ts'

export const allReaders: NodeReaders = {
  ...coreReaders,
  lstm(name, node, tensor, where) {
    const peephole = tensor('peephole')
    return lstmNode(
      name,
      { ...packedArrays(tensor, where), ...(peephole && { peephole }) },
      {
        gateOrder: convention<LstmGateOrder>(node, 'gateOrder', where, 'lstmGateOrder'),
        transposed: readTransposed(node, where),
        forgetGate: convention(node, 'forgetGate', where),
        ...(peephole && {
          peepholeOrder: convention<PeepholeOrder>(node, 'peepholeOrder', where),
        }),
        activation: readActivation(node, 'activation', where),
        recurrentActivation: readActivation(node, 'recurrentActivation', where),
        outputActivation: readActivation(node, 'outputActivation', where),
      },
      {},
      readBehaviour(node, where),
    )
  },
  rnn: (name, node, tensor, where) =>
    rnnNode(
      name,
      packedArrays(tensor, where),
      {
        transposed: readTransposed(node, where),
        activation: readActivation(node, 'activation', where),
      },
      {},
      readBehaviour(node, where),
    ),
  // A description ties each kind to its node; TypeScript cannot follow that through an index.
  ...(forDescribed(described) as unknown as NodeReaders<DescribedKind>),
}

/** The reader of a kind, from its description. */
function described(kind: DescribedKind): NodeReader<LayerNode> {
  const { arrays } = descriptions[kind]
  return (name, node, tensor, where) => {
    const attributes = fieldsOf(kind).map(
      ([key, field]) => [key, field.read(node[key], `${where}.${key}`)] as const,
    )
    const weights = Object.entries(arrays).map(
      ([part, need]) =>
        [
          part,
          need === 'required' ? required(tensor, part, where) : (tensor(part) ?? null),
        ] as const,
    )
    return {
      kind,
      name,
      ...Object.fromEntries(attributes),
      ...(weights.length > 0 && { weights: Object.fromEntries(weights) }),
      conventions: [],
    } as never
  }
}
