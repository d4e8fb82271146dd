/** Reads the nodes that most models are made of: GRU and Dense. */

import type { GateOrder } from '../../model/conventions/choices.ts'
import type { Ground } from '../../model/conventions/grounds.ts'
import { denseNode } from '../../model/dense.ts'
import { gruNode } from '../../model/recurrent/gru.ts'
import { coreSignatures } from '../../model/shapes/core.ts'
import type { KindTables, NodeReaders } from './node-format.ts'
import {
  convention,
  packedArrays,
  readActivation,
  readBehaviour,
  readTransposed,
  required,
} from './packed.ts'

export const coreReaders: NodeReaders<'gru' | 'dense'> = {
  gru(name, node, tensor, where) {
    const bias = convention<'separate' | 'merged' | 'none'>(node, 'bias', where)
    return gruNode(
      name,
      packedArrays(tensor, where),
      {
        gateOrder: convention<GateOrder>(node, 'gateOrder', where),
        transposed: readTransposed(node, where),
        reset: convention(node, 'reset', where),
        update: convention(node, 'update', where),
        ...(bias.value !== 'none' && { bias: bias as Ground<'separate' | 'merged'> }),
        activation: readActivation(node, 'activation', where),
        recurrentActivation: readActivation(node, 'recurrentActivation', where),
      },
      {},
      readBehaviour(node, where),
    )
  },
  dense: (name, node, tensor, where) =>
    denseNode(
      name,
      { kernel: required(tensor, 'kernel', where), bias: tensor('bias') },
      readActivation(node, 'activation', where),
      readTransposed(node, where),
    ),
}

export const coreKinds: KindTables = { readers: coreReaders, signatures: coreSignatures }
