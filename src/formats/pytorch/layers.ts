/**
 * Builds the nodes of a recurrent PyTorch module: layer upon layer, two directions side by side.
 */

import type { TorchTensor } from '../../bytes/torch/values.ts'
import { GruvError } from '../../errors.ts'
import { type Activation, activation } from '../../model/activation/activations.ts'
import type { ConventionOptions } from '../../model/conventions/conventions.ts'
import { type Ground, implied, stated } from '../../model/conventions/grounds.ts'
import { gruNode } from '../../model/recurrent/gru.ts'
import { lstmNode } from '../../model/recurrent/lstm.ts'
import { rnnNode } from '../../model/recurrent/rnn.ts'
import type { LayerNode, RecurrentNode, Unwired } from '../../model/types.ts'
import type { Tensor } from '../../tensor.ts'
import type { DirectionArrays, RecurrentKind, RecurrentModule } from './recurrent.ts'

/** Reads the numbers of a tensor; `where` is for messages. */
export type ReadTensor = (tensor: TorchTensor, where: string) => Promise<Tensor>

export interface RecurrentNodes {
  readonly nodes: readonly LayerNode[]
  /** The values of the last layer, as asked for. */
  readonly sequence: string | null
  /** The output of the step that is computed last, for each direction of the last layer. */
  readonly finals: readonly string[]
}

/** Which values of the last layer are needed. */
export interface Wanted {
  readonly sequence: boolean
  readonly finals: boolean
}

/** Choices of the caller. A wiring can choose the nonlinearity of an nn.RNN. */
export interface RecurrentChoices {
  readonly conventions: ConventionOptions
  readonly nonlinearity?: Ground<Activation>
}

/**
 * @param x the value that arrives, [batch, time, features].
 * @throws GruvError `bad-argument` for conventions that this kind of module does not have.
 */
export async function recurrentNodes(
  recurrent: RecurrentModule,
  x: string,
  wanted: Wanted,
  choices: RecurrentChoices,
  read: ReadTensor,
): Promise<RecurrentNodes> {
  refuseOthers(recurrent, choices.conventions)
  const { name, layers } = recurrent
  const nodes: LayerNode[] = []
  let input = x
  let finals: readonly string[] = []
  for (const [k, directions] of layers.entries()) {
    const layerName = layers.length === 1 ? name : `${name}.l${k}`
    const isLast = k === layers.length - 1
    const sequence = !isLast || wanted.sequence
    const made: RecurrentNode[] = []
    for (const [d, arrays] of directions.entries()) {
      const half = d === 0 ? 'forward' : 'backward'
      const nodeName = directions.length === 1 ? layerName : `${layerName}.${half}`
      const node = await unwired(recurrent, nodeName, arrays, half, choices, read)
      // Spreading keeps the union member; TypeScript only sees the union's common part.
      made.push({
        ...node,
        inputs: { x: input },
        outputs: {
          ...(sequence && { sequence: `${nodeName}.sequence` }),
          ...(isLast && wanted.finals && { last: `${nodeName}.last` }),
        },
      } as RecurrentNode)
    }
    nodes.push(...made)
    finals = made.flatMap(({ outputs }) => outputs.last ?? [])
    if (!sequence) return { nodes, sequence: null, finals }
    const sequences = made.map(({ outputs }) => outputs.sequence)
    if (sequences.length > 1) nodes.push(concatenated(`${layerName}.merge`, sequences))
    input = sequences.length > 1 ? `${layerName}.merge.y` : sequences[0]
  }
  return { nodes, sequence: input, finals }
}

/** Values side by side, as PyTorch puts the two directions. */
export function concatenated(name: string, values: readonly string[]): LayerNode {
  return {
    kind: 'merge',
    name,
    mode: 'concatenate',
    inputs: Object.fromEntries(values.map((value, i) => [`${i}`, value])),
    outputs: { y: `${name}.y` },
    conventions: [],
  }
}

/** The conventions that the caller may override, by kind. */
const overridable: Readonly<Record<RecurrentKind, readonly (keyof ConventionOptions)[]>> = {
  gru: ['gateOrder', 'transposed', 'reset', 'update', 'bias', 'activation', 'recurrentActivation'],
  lstm: ['lstmGateOrder', 'transposed', 'activation', 'recurrentActivation', 'outputActivation'],
  rnn: ['transposed', 'activation'],
}

function refuseOthers({ kind, name }: RecurrentModule, conventions: ConventionOptions): void {
  const said = (Object.keys(conventions) as (keyof ConventionOptions)[]).filter(
    (key) => conventions[key] !== undefined && !overridable[kind].includes(key),
  )
  if (said.length === 0) return
  throw new GruvError('bad-argument', `${said.join(', ')} cannot be set for this module`, {
    where: name,
    expected: `of ${overridable[kind].join(', ')}`,
    got: `an ${kind.toUpperCase()}`,
  })
}

async function unwired(
  { kind, nonlinearity }: RecurrentModule,
  name: string,
  packed: DirectionArrays,
  direction: 'forward' | 'backward',
  { conventions, nonlinearity: wired }: RecurrentChoices,
  read: ReadTensor,
): Promise<Unwired<RecurrentNode>> {
  const optional = async (
    tensor: TorchTensor | null,
    which: string,
  ): Promise<Tensor | undefined> =>
    tensor === null ? undefined : read(tensor, `${name}: ${which}`)
  const arrays = {
    kernel: await read(packed.kernel, `${name}: weight_ih`),
    recurrentKernel: await read(packed.recurrentKernel, `${name}: weight_hh`),
    bias: await optional(packed.bias, 'bias_ih'),
    recurrentBias: await optional(packed.recurrentBias, 'bias_hh'),
  }
  const transposed = implied('yes' as const, 'PyTorch writes [units, inputs]')
  const only = `PyTorch has no other ${kind.toUpperCase()}`
  const gates = {
    transposed,
    activation: implied(activation('tanh'), only),
    recurrentActivation: implied(activation('sigmoid'), only),
  }
  switch (kind) {
    case 'gru': {
      const grounds = {
        ...gates,
        gateOrder: implied('rzn' as const, 'PyTorch packs r, z, n'),
        reset: implied('after' as const, only),
        update: implied('keeps' as const, only),
        bias: implied('separate' as const, only),
      }
      return gruNode(name, arrays, grounds, conventions, { direction })
    }
    case 'lstm': {
      const grounds = {
        ...gates,
        gateOrder: implied('ifgo' as const, 'PyTorch packs i, f, g, o'),
        forgetGate: implied('own' as const, only),
        // A changed activation is the output's too, as in Keras, unless the output's is given.
        ...(conventions.activation === undefined && { outputActivation: gates.activation }),
      }
      return lstmNode(name, arrays, grounds, conventions, { direction })
    }
    case 'rnn': {
      const grounds = { transposed, activation: wired ?? rnnActivation(nonlinearity) }
      return rnnNode(name, arrays, grounds, conventions, { direction })
    }
  }
}

/** The nonlinearity that the pickled module states, or PyTorch's default. */
function rnnActivation(name: string | null): Ground<Activation> {
  if (name !== null) return stated(activation(name), 'the pickled module says so')
  return {
    value: activation('tanh'),
    origin: 'assumed',
    why: "it is nn.RNN's default, and a state dict does not say",
  }
}
