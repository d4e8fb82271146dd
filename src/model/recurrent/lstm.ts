/** Builds LSTM nodes from packed arrays, with decisions as for a GRU (gru.ts). */

import type { Tensor } from '../../tensor.ts'
import type { Activation } from '../activation/activations.ts'
import type { ConventionOptions, LstmGateOrder, PeepholeOrder } from '../conventions/conventions.ts'
import { assumed, Decisions, type Ground } from '../conventions/grounds.ts'
import type { LstmNode, Unwired } from '../types.ts'
import { splitGates } from './gates.ts'
import {
  type CellGrounds,
  type PackedArrays,
  type RecurrentBehaviour,
  unpackBiases,
  unpackKernels,
  vector,
} from './packed.ts'

/** Width 4·units: input, forget, candidate and output. */
export interface LstmArrays extends PackedArrays {
  /** [3·units]: how input, forget and output gates see the cell. */
  readonly peephole?: Tensor | undefined
}

export interface LstmGrounds extends CellGrounds {
  readonly gateOrder?: Ground<LstmGateOrder>
  readonly forgetGate?: Ground<'own' | 'coupled'>
  /** Used only where there are peepholes. */
  readonly peepholeOrder?: Ground<PeepholeOrder>
  readonly recurrentActivation?: Ground<Activation>
  readonly outputActivation?: Ground<Activation>
}

/**
 * @param name for messages and for the names of states.
 * @throws GruvError `bad-shape` when the arrays do not fit together, `bad-argument` when an option
 *   contradicts them.
 */
export function lstmNode(
  name: string,
  arrays: LstmArrays,
  grounds: LstmGrounds = {},
  options: ConventionOptions = {},
  { direction = 'forward', maskedOutput = 'repeat', clip = null }: RecurrentBehaviour = {},
): Unwired<LstmNode> {
  const record = new Decisions()
  const layout = unpackKernels(name, { title: 'an LSTM', gates: 4 }, arrays, grounds, options)
  const { kernel, recurrentKernel, features, units } = layout
  const order = record.decide(
    'lstmGateOrder',
    options.lstmGateOrder,
    grounds.gateOrder ?? assumed('ifgo'),
  )
  record.note('transposed', layout.transposed)
  const forget = record.decide('forgetGate', undefined, grounds.forgetGate ?? assumed('own'))
  const peephole =
    arrays.peephole === undefined
      ? null
      : splitGates(
          vector(`${name}: peephole`, arrays.peephole, 3 * units),
          record.decide('peepholeOrder', undefined, grounds.peepholeOrder ?? ONNX_PEEPHOLES),
        )

  const activation = record.decideActivation('activation', options, grounds, 'tanh')
  const recurrentActivation = record.decideActivation(
    'recurrentActivation',
    options,
    grounds,
    'sigmoid',
  )
  const outputActivation = record.decideActivation('outputActivation', options, grounds, {
    value: activation,
    origin: 'assumed',
    why: 'Keras and PyTorch use the activation here too',
  })

  const biases = unpackBiases(name, arrays, units, 4 * units)
  return {
    kind: 'lstm',
    name,
    features,
    units,
    recurrentActivation,
    activation,
    outputActivation,
    coupled: forget === 'coupled',
    direction,
    maskedOutput,
    clip,
    conventions: record.conventions,
    weights: {
      kernel: splitGates(kernel, order),
      recurrentKernel: splitGates(recurrentKernel, order),
      inputBias: biases.input === null ? null : splitGates(biases.input, order),
      recurrentBias: biases.recurrent === null ? null : splitGates(biases.recurrent, order),
      peephole,
    },
  }
}

const ONNX_PEEPHOLES: Ground<PeepholeOrder> = {
  value: 'iof',
  origin: 'assumed',
  why: 'ONNX does so, and no other framework packs peepholes',
}
