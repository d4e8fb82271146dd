/** Reads the other recurrent nodes: LSTM and simple RNN. */

import type { LstmGateOrder, PeepholeOrder } from '../../model/conventions/choices.ts'
import { lstmNode } from '../../model/recurrent/lstm.ts'
import { rnnNode } from '../../model/recurrent/rnn.ts'
import type { NodeReaders } from './node-format.ts'
import {
  convention,
  packedArrays,
  readActivation,
  readBehaviour,
  readTransposed,
} from './packed.ts'

export const recurrentReaders: NodeReaders<'lstm' | 'rnn'> = {
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
}
