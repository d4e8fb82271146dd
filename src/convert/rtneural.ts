/** Writes RTNeural JSON, as `python/model_utils.py` does and `model_loader.h` reads it. */

import { GruvError } from '../errors.ts'
import type { Activation } from '../model/activation/activations.ts'
import { joinGates } from '../model/recurrent/gates.ts'
import { isCausal } from '../model/shapes/causal.ts'
import type { GruNode, LayerNode, LstmNode, Model } from '../model/types.ts'
import type { Tensor } from '../tensor.ts'
import { cannotHold, type Written } from './target.ts'
import {
  keepingWeights,
  oneBias,
  ones,
  refuseRareCell,
  withoutMergedBiases,
  zeros,
} from './weights.ts'

const TITLE = 'RTNeural'

/** The activations that RTNeural has, by its names; all others are refused. */
const activations: Readonly<Partial<Record<Activation['kind'], string>>> = {
  linear: '',
  tanh: 'tanh',
  relu: 'relu',
  sigmoid: 'sigmoid',
  softmax: 'softmax',
  elu: 'elu',
}

type Json = Readonly<Record<string, unknown>>

/** @throws GruvError `unsupported` for a graph that is not a chain, and for other layers. */
export async function writeRtneural(model: Model): Promise<Written> {
  const notes: string[] = []
  const { nodes, residual } = chainOf(withoutMergedBiases(model, notes))
  const features = Number(model.inputs[0].shape.at(-1))
  let width = features
  const layers = nodes.map((node) => {
    const { units, ...layer } = describe(node, width, notes)
    width = units
    return { ...layer, shape: [null, null, units] }
  })
  if (residual) notes.push('in_skip is read by AIDA-X and MOD; RTNeural alone passes over it')
  if (model.inputs[0].axes !== undefined)
    notes.push('RTNeural knows no batches: time is the only axis')
  const whole = { in_shape: [null, null, features], ...(residual && { in_skip: 1 }), layers }
  const bytes = new TextEncoder().encode(`${JSON.stringify(whole)}\n`)
  return { bytes, notes }
}

/** The layers in order, and whether the input is added to the output. */
function chainOf({ inputs, outputs, nodes }: Model): {
  readonly nodes: readonly LayerNode[]
  readonly residual: boolean
} {
  if (inputs.length > 1 || outputs.length > 1) {
    throw new GruvError('unsupported', `${TITLE} cannot hold several inputs or outputs`, {
      got: [...inputs, ...outputs].map(({ name }) => name).join(', '),
    })
  }
  const last = nodes.at(-1)!
  const values = Object.values(last.inputs)
  const residual =
    last.kind === 'merge' &&
    last.mode === 'add' &&
    values.length === 2 &&
    values.includes(inputs[0].name) &&
    inputs[0].shape.at(-1) === 1
  const chain = residual ? nodes.slice(0, -1) : nodes
  let value = inputs[0].name
  for (const node of chain) {
    const [x, ...others] = Object.values(node.inputs)
    const made = Object.entries(node.outputs)
    if (x !== value || others.length > 0 || made.length !== 1)
      throw cannotHold(TITLE, node, 'a graph that is no chain')
    value = made[0][1]
  }
  if (residual && !values.includes(value)) throw cannotHold(TITLE, last, 'a graph that is no chain')
  if (outputs[0].value !== (residual ? last.outputs.y : value))
    throw cannotHold(TITLE, last, 'an output from the middle')
  return { nodes: chain, residual }
}

function describe(node: LayerNode, features: number, notes: string[]): Json & { units: number } {
  switch (node.kind) {
    case 'gru':
    case 'lstm':
      return { ...recurrent(node, notes), units: node.units }
    case 'dense': {
      const { kernel, bias } = node.weights
      const activation = activationName(node.activation, node)
      const weights = [nested(kernel), nested(bias ?? zeros(node.units))]
      return { type: 'dense', activation, units: node.units, weights }
    }
    case 'activation': {
      const activation = activationName(node.activation, node)
      return { type: 'activation', activation, units: features, weights: [] }
    }
    case 'prelu': {
      const { data } = node.weights.alpha
      const alpha = data.length === 1 ? new Array<number>(features).fill(data[0]) : Array.from(data)
      return { type: 'prelu', activation: '', units: features, weights: [[alpha]] }
    }
    case 'batchNorm': {
      const { gamma, beta, mean, variance } = node.weights
      const affine = gamma !== null || beta !== null
      const arrays = [
        ...(affine ? [gamma ?? ones(features), beta ?? zeros(features)] : []),
        mean,
        variance,
      ].map(nested)
      const { epsilon } = node
      return { type: 'batchnorm', activation: '', units: features, epsilon, weights: arrays }
    }
    case 'conv1d': {
      if (!isCausal({ ...node, groups: 1 }))
        throw cannotHold(TITLE, node, 'a convolution that is not causal')
      const { kernel, bias } = node.weights
      return {
        type: 'conv1d',
        activation: activationName(node.activation, node),
        units: node.units,
        kernel_size: [node.size],
        dilation: [node.dilation],
        groups: node.groups,
        weights: [nested(kernel), nested(bias ?? zeros(node.units))],
      }
    }
    case 'rnn':
    case 'affine':
    case 'embedding':
    case 'masking':
    case 'layerNorm':
    case 'merge':
    case 'reverse':
    case 'reshape':
    case 'transpose':
    case 'expand':
    case 'slice':
    case 'concat':
    case 'pad':
    case 'gather':
    case 'constant':
    case 'range':
    case 'binary':
    case 'unary':
    case 'where':
    case 'reduce':
    case 'matmul':
    case 'softmax':
    case 'conv':
    case 'convTranspose':
    case 'pool':
    case 'attention':
    case 'multiHeadAttention':
      throw cannotHold(TITLE, node, 'this layer')
  }
}

function recurrent(node: GruNode | LstmNode, notes: string[]): Json {
  refuseRareCell(node, TITLE)
  const { kind, direction, outputs, activation, recurrentActivation } = node
  if (direction !== 'forward') throw cannotHold(TITLE, node, 'a layer that runs backward')
  if (outputs.sequence === undefined) throw cannotHold(TITLE, node, 'the last step alone')
  const others = [recurrentActivation.kind === 'sigmoid', activation.kind === 'tanh']
  const output = node.kind === 'lstm' ? node.outputActivation.kind : 'tanh'
  if (others.includes(false) || output !== 'tanh')
    throw cannotHold(TITLE, node, 'a cell with other activations than sigmoid and tanh')
  return {
    type: kind,
    activation: 'tanh',
    weights: node.kind === 'gru' ? gru(node, notes) : lstm(node, notes),
  }
}

function gru(node: GruNode, notes: string[]): readonly unknown[] {
  if (!node.resetAfter) throw cannotHold(TITLE, node, 'a reset before the recurrent product')
  const weights = keepingWeights(node, TITLE, notes)
  const { kernel, recurrentKernel, inputBias, recurrentBias } = weights
  const biases = [inputBias, recurrentBias].map((bias) =>
    bias === null ? zeros(3 * node.units) : joinGates(bias, 'zrn'),
  )
  return [
    nested(joinGates(kernel, 'zrn')),
    nested(joinGates(recurrentKernel, 'zrn')),
    biases.map(nested),
  ]
}

function lstm({ name, units, weights }: LstmNode, notes: string[]): readonly unknown[] {
  const bias = oneBias(weights.inputBias, weights.recurrentBias, name, notes)
  return [
    nested(joinGates(weights.kernel, 'ifgo')),
    nested(joinGates(weights.recurrentKernel, 'ifgo')),
    nested(bias === null ? zeros(4 * units) : joinGates(bias, 'ifgo')),
  ]
}

function activationName(act: Activation, node: LayerNode): string {
  const name = activations[act.kind]
  if (name === undefined || (act.kind === 'elu' && act.parameters[0] !== 1))
    throw cannotHold(TITLE, node, `the activation ${act.kind}`)
  return name
}

/** Numbers with all digits, so that the same ones are read back. */
function nested({ shape, data }: Tensor): unknown {
  let level: unknown[] = Array.from(data)
  for (const extent of shape.slice(1).reverse()) {
    const rows: unknown[] = []
    for (let i = 0; i < level.length; i += extent) rows.push(level.slice(i, i + extent))
    level = rows
  }
  const wrong = data.find((value) => !Number.isFinite(value))
  if (wrong === undefined) return level
  throw new GruvError('unsupported', 'JSON holds finite numbers only', { got: `${wrong}` })
}
