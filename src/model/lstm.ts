/**
 * An LSTM node from packed arrays: the one place where a foreign layout becomes ours. Decisions are
 * taken and recorded as for a GRU (gru.ts).
 */

import type { Tensor } from '../tensor.ts'
import type { Activation } from './activations.ts'
import { splitGates } from './canonicalize.ts'
import type { ConventionOptions, LstmGateOrder, PeepholeOrder } from './conventions.ts'
import { assumed, Decisions, type Ground } from './grounds.ts'
import {
  type PackedArrays,
  type RecurrentBehaviour,
  unpackBiases,
  unpackKernels,
  vector,
} from './packed.ts'
import type { LstmNode, Unwired } from './types.ts'

/** Width 4·units: input, forget, candidate and output. */
export interface LstmArrays extends PackedArrays {
  /** [3·units]: how input, forget and output gates see the cell. */
  readonly peephole?: Tensor | undefined
}

export interface LstmGrounds {
  readonly gateOrder?: Ground<LstmGateOrder>
  readonly transposed?: Ground<'yes' | 'no'>
  readonly forgetGate?: Ground<'own' | 'coupled'>
  /** Asked only where there are peepholes. */
  readonly peepholeOrder?: Ground<PeepholeOrder>
  readonly activation?: Ground<Activation>
  readonly recurrentActivation?: Ground<Activation>
  readonly outputActivation?: Ground<Activation>
}

/**
 * @param name where messages point and states hang.
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
  const layout = unpackKernels(
    name,
    { title: 'an LSTM', gates: 4 },
    arrays,
    grounds.transposed,
    options.transposed,
  )
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

  const activation = record.decideActivation(
    'activation',
    options.activation,
    grounds.activation,
    'tanh',
  )
  const recurrentActivation = record.decideActivation(
    'recurrentActivation',
    options.recurrentActivation,
    grounds.recurrentActivation,
    'sigmoid',
  )
  const outputActivation = record.decideActivation(
    'outputActivation',
    options.outputActivation,
    grounds.outputActivation,
    { value: activation, origin: 'assumed', why: 'Keras and PyTorch use the activation here too' },
  )

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
