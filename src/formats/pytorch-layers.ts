/** A recurrent module of PyTorch as nodes: layer upon layer, two directions side by side. */

import type { TorchTensor } from '../bytes/torch-tree.ts'
import { GruvError } from '../errors.ts'
import { type Activation, activation, isElementwise } from '../model/activations.ts'
import { sliceRows, transpose } from '../model/canonicalize.ts'
import type { Convention, ConventionOptions, Origin } from '../model/conventions.ts'
import { type Ground, gruNode } from '../model/gru.ts'
import type { LayerNode, LstmNode, RecurrentNode, RnnNode, Unwired } from '../model/types.ts'
import type { Tensor } from '../tensor.ts'
import type { DirectionArrays, RecurrentKind, RecurrentModule } from './pytorch-recurrent.ts'

/** Reads the numbers of a tensor; `where` is for messages. */
export type ReadTensor = (tensor: TorchTensor, where: string) => Promise<Tensor>

export interface RecurrentNodes {
  readonly nodes: readonly LayerNode[]
  /** The values of the last layer, as asked for. */
  readonly sequence: string | null
  /** Of each direction of the last layer, the output of the step it computes last. */
  readonly finals: readonly string[]
}

/** What is wanted of the last layer. */
export interface Wanted {
  readonly sequence: boolean
  readonly finals: boolean
}

/** Of nn.RNN only: what the caller says, or the wiring. */
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

/** A GRU of PyTorch can be overridden like any other; the other two have one convention at most. */
const overridable: Readonly<Record<RecurrentKind, readonly (keyof ConventionOptions)[] | null>> = {
  gru: null,
  lstm: [],
  rnn: ['activation'],
}

function refuseOthers({ kind, name }: RecurrentModule, conventions: ConventionOptions): void {
  const allowed = overridable[kind]
  const said = (Object.keys(conventions) as (keyof ConventionOptions)[]).filter(
    (key) => conventions[key] !== undefined && allowed !== null && !allowed.includes(key),
  )
  if (said.length === 0) return
  throw new GruvError('bad-argument', `${said.join(', ')} cannot be set for this module`, {
    where: name,
    got: `a PyTorch ${kind === 'rnn' ? 'nn.RNN, whose activation alone is open' : 'nn.LSTM, of which there is one kind'}`,
  })
}

function unwired(
  recurrent: RecurrentModule,
  name: string,
  arrays: DirectionArrays,
  direction: 'forward' | 'backward',
  choices: RecurrentChoices,
  read: ReadTensor,
): Promise<Unwired<RecurrentNode>> {
  switch (recurrent.kind) {
    case 'gru':
      return gru(name, arrays, direction, choices, read)
    case 'lstm':
      return lstm(name, arrays, direction, read)
    case 'rnn':
      return rnn(recurrent, name, arrays, direction, choices, read)
  }
}

interface Arrays {
  readonly kernel: Tensor
  readonly recurrentKernel: Tensor
  readonly bias: Tensor | null
  readonly recurrentBias: Tensor | null
}

async function readArrays(
  name: string,
  arrays: DirectionArrays,
  read: ReadTensor,
): Promise<Arrays> {
  const { kernel, recurrentKernel, bias, recurrentBias } = arrays
  return {
    kernel: await read(kernel, `${name}: weight_ih`),
    recurrentKernel: await read(recurrentKernel, `${name}: weight_hh`),
    bias: bias && (await read(bias, `${name}: bias_ih`)),
    recurrentBias: recurrentBias && (await read(recurrentBias, `${name}: bias_hh`)),
  }
}

function implied<T>(value: T, why: string): Ground<T> {
  return { value, origin: 'implied', why }
}

const ONE_GRU = 'PyTorch has no other GRU'
const ONE_LSTM = 'PyTorch has no other LSTM'
const LAYOUT = 'PyTorch writes [units, inputs]'

async function gru(
  name: string,
  arrays: DirectionArrays,
  direction: 'forward' | 'backward',
  { conventions }: RecurrentChoices,
  read: ReadTensor,
): Promise<Unwired<RecurrentNode>> {
  const { kernel, recurrentKernel, bias, recurrentBias } = await readArrays(name, arrays, read)
  return gruNode(
    name,
    {
      kernel,
      recurrentKernel,
      bias: bias ?? undefined,
      recurrentBias: recurrentBias ?? undefined,
    },
    {
      gateOrder: implied('rzn', 'PyTorch packs r, z, n'),
      transposed: implied('yes', LAYOUT),
      reset: implied('after', ONE_GRU),
      update: implied('keeps', ONE_GRU),
      ...(recurrentBias !== null && { bias: implied('separate', ONE_GRU) }),
      activation: implied(activation('tanh'), ONE_GRU),
      recurrentActivation: implied(activation('sigmoid'), ONE_GRU),
    },
    conventions,
    { direction },
  )
}

async function lstm(
  name: string,
  arrays: DirectionArrays,
  direction: 'forward' | 'backward',
  read: ReadTensor,
): Promise<Unwired<LstmNode>> {
  const { kernel, recurrentKernel, bias, recurrentBias } = await readArrays(name, arrays, read)
  const tanh = elementwise(activation('tanh'))
  return {
    kind: 'lstm',
    name,
    features: kernel.shape[1],
    units: recurrentKernel.shape[1],
    direction,
    maskedOutput: 'repeat',
    clip: null,
    recurrentActivation: elementwise(activation('sigmoid')),
    activation: tanh,
    outputActivation: tanh,
    coupled: false,
    conventions: [
      convention('gateOrder', 'ifgo', 'implied', 'PyTorch packs i, f, g, o'),
      convention('transposed', 'yes', 'implied', LAYOUT),
      convention('activation', 'tanh', 'implied', ONE_LSTM),
      convention('recurrentActivation', 'sigmoid', 'implied', ONE_LSTM),
    ],
    weights: {
      kernel: byGate(kernel),
      recurrentKernel: byGate(recurrentKernel),
      inputBias: bias && byGate(bias),
      recurrentBias: recurrentBias && byGate(recurrentBias),
      peephole: null,
    },
  }
}

/** The four blocks of rows, each turned to [inputs, units]. */
function byGate(packed: Tensor): Record<'i' | 'f' | 'g' | 'o', Tensor> {
  const units = packed.shape[0] / 4
  const block = (k: number): Tensor => {
    const rows = sliceRows(packed, k * units, (k + 1) * units)
    return rows.shape.length === 2 ? transpose(rows) : rows
  }
  return { i: block(0), f: block(1), g: block(2), o: block(3) }
}

async function rnn(
  { nonlinearity, name: module }: RecurrentModule,
  name: string,
  arrays: DirectionArrays,
  direction: 'forward' | 'backward',
  { conventions, nonlinearity: wired }: RecurrentChoices,
  read: ReadTensor,
): Promise<Unwired<RnnNode>> {
  const { kernel, recurrentKernel, bias, recurrentBias } = await readArrays(name, arrays, read)
  const { value, origin, why } = rnnActivation(conventions.activation, wired, nonlinearity)
  if (!isElementwise(value)) {
    throw new GruvError('unsupported', `${value.kind} cannot be the activation of a cell`, {
      where: module,
      expected: 'tanh or relu, as nn.RNN has them',
    })
  }
  return {
    kind: 'rnn',
    name,
    features: kernel.shape[1],
    units: recurrentKernel.shape[1],
    direction,
    maskedOutput: 'repeat',
    clip: null,
    activation: value,
    conventions: [
      convention('transposed', 'yes', 'implied', LAYOUT),
      convention('activation', value.kind, origin, why),
    ],
    weights: {
      kernel: transpose(kernel),
      recurrentKernel: transpose(recurrentKernel),
      inputBias: bias,
      recurrentBias,
    },
  }
}

/** What the caller says, what the wiring says, what the pickled module says, or PyTorch's default. */
function rnnActivation(
  said: string | undefined,
  wired: Ground<Activation> | undefined,
  stated: string | null,
): Ground<Activation> {
  if (said !== undefined)
    return { value: activation(said), origin: 'chosen', why: '--activation says so' }
  if (wired !== undefined) return wired
  if (stated !== null)
    return { value: activation(stated), origin: 'stated', why: 'the pickled module says so' }
  return {
    value: activation('tanh'),
    origin: 'assumed',
    why: "it is nn.RNN's default, and a state dict does not say",
  }
}

function elementwise(act: Activation): LstmNode['activation'] {
  if (isElementwise(act)) return act
  throw new GruvError('unsupported', `${act.kind} cannot stand in a cell`)
}

function convention(
  key: Convention['key'],
  value: string,
  origin: Origin,
  why: string,
): Convention {
  return { key, value, origin, why }
}
