/** Describes layers without a state for Keras 3. */

import type { Activation } from '../../model/activation/activations.ts'
import type { Dim, LayerNode, MergeNode, NodeOf } from '../../model/types.ts'
import type { Named, Tensor } from '../../tensor.ts'
import { cannotHold, type OtherNode } from '../target.ts'
import { toSingle } from '../weights.ts'
import {
  activationName,
  type Described,
  described,
  glorot,
  initializer,
  named,
  untrained,
  zerosInitializer,
} from './layer.ts'

type Describe<N extends LayerNode> = (node: N, shape: readonly Dim[]) => Described

const TITLE = 'Keras'

/** null for layers that Keras 3 has no class for, or none that gruv writes. */
const describers: { readonly [K in OtherNode['kind']]: Describe<NodeOf<K>> | null } = {
  dense: (node) => kernelLayer('Dense', node, { units: node.units }),
  activation: (node) => activationLayer(node.activation, node.name, node),
  prelu(node, shape) {
    const { data } = node.weights.alpha
    const features = Number(shape.at(-1))
    const all = data.length === 1 ? new Float32Array(features).fill(data[0]) : data
    // One slope for all steps is an extent of 1 in Keras.
    const ones = shape.slice(1, -1).map(() => 1)
    const config = {
      alpha_initializer: zerosInitializer,
      ...untrained(['alpha']),
      shared_axes: ones.length === 0 ? null : ones.map((_, i) => i + 1),
    }
    return described('PReLU', node.name, config, vars([{ shape: [...ones, features], data: all }]))
  },
  embedding(node) {
    if (node.outputs.mask !== undefined)
      throw cannotHold(TITLE, node, 'a mask, which would reach other layers than here')
    const [count, units] = node.weights.table.shape
    const range = { seed: null, minval: -0.05, maxval: 0.05 }
    const config = {
      input_dim: count,
      output_dim: units,
      embeddings_initializer: initializer('RandomUniform', range),
      ...untrained(['embeddings']),
      activity_regularizer: null,
      mask_zero: false,
    }
    return described('Embedding', node.name, config, vars([node.weights.table]))
  },
  batchNorm(node) {
    const { gamma, beta, mean, variance } = node.weights
    const config = {
      axis: -1,
      momentum: 0.99,
      ...scaleAndShift(node),
      moving_mean_initializer: zerosInitializer,
      moving_variance_initializer: initializer('Ones'),
      ...untrained(['beta', 'gamma']),
      synchronized: false,
    }
    const arrays = vars([gamma, beta, mean, variance])
    return described('BatchNormalization', node.name, config, arrays)
  },
  layerNorm(node) {
    if (node.axes !== 1) throw cannotHold(TITLE, node, 'a normalisation over several axes')
    const { gamma, beta } = node.weights
    const config = { axis: -1, ...scaleAndShift(node), ...untrained(['beta', 'gamma']) }
    return described('LayerNormalization', node.name, config, vars([gamma, beta]))
  },
  conv1d(node) {
    const { size, stride, dilation, groups, units } = node
    return kernelLayer('Conv1D', node, {
      filters: units,
      kernel_size: [size],
      strides: [stride],
      padding: paddingOf(node) ?? 'valid',
      data_format: 'channels_last',
      dilation_rate: [dilation],
      groups,
    })
  },
  merge(node) {
    if (node.mode === 'divide') throw cannotHold(TITLE, node, 'a division of two values')
    const className = mergeClasses[node.mode]
    const config = { ...(node.mode === 'concatenate' && { axis: -1 }) }
    return { ...described(className, node.name, config), listed: true }
  },
  pad(node, shape) {
    const around = node.pads.some(
      ({ before, after }, i) => i !== 1 && (before !== 0 || after !== 0),
    )
    if (node.mode !== 'constant' || node.value !== 0 || shape.length !== 3 || around)
      throw cannotHold(TITLE, node, 'a padding but with zeros, before and after the steps')
    return zeroPadding(node, node.name, node.pads[1])
  },
  reduce(node, shape) {
    const { op, axes } = node
    if ((op !== 'mean' && op !== 'max') || shape.length !== 3 || axes.join() !== '1')
      throw cannotHold(TITLE, node, 'this reduction')
    const className = op === 'mean' ? 'GlobalAveragePooling1D' : 'GlobalMaxPooling1D'
    const config = { data_format: 'channels_last', keepdims: node.keepAxes }
    return described(className, node.name, config)
  },
  pool(node, shape) {
    const [size] = node.sizes
    const valid =
      node.padding !== 'same' && node.padding.every(({ before, after }) => before + after === 0)
    if (shape.length !== 3 || !(valid || node.padding === 'same'))
      throw cannotHold(TITLE, node, 'this pooling')
    return described(node.op === 'max' ? 'MaxPooling1D' : 'AveragePooling1D', node.name, {
      pool_size: [size],
      padding: valid ? 'valid' : 'same',
      strides: [node.strides[0]],
      data_format: 'channels_last',
    })
  },
  expand(node, shape) {
    const [batch, steps, features] = node.shape
    const repeats =
      shape.length === 3 && shape[1] === 1 && shape[0] === batch && shape[2] === features
    if (!repeats || typeof steps !== 'number')
      throw cannotHold(TITLE, node, 'an expansion of anything but a single step')
    return described('UpSampling1D', node.name, { size: steps })
  },
  reshape(node) {
    const [batch, ...target] = node.shape
    if (batch !== 'batch' || target.some((dim) => typeof dim !== 'number'))
      throw cannotHold(TITLE, node, 'a reshape over the batch or over time')
    return described('Reshape', node.name, { target_shape: target })
  },
  affine(node) {
    const { scale, shift } = node.weights
    const numbers = (each: Tensor | null, none: number): unknown =>
      each === null ? none : each.data.length === 1 ? each.data[0] : [...each.data]
    return described('Rescaling', node.name, {
      scale: numbers(scale, 1),
      offset: numbers(shift, 0),
    })
  },
  softmax(node, shape) {
    if (!node.log) return described('Softmax', node.name, { axis: node.axis })
    if (node.axis !== shape.length - 1)
      throw cannotHold(TITLE, node, 'a log softmax over another axis than the last')
    return described('Activation', node.name, { activation: 'log_softmax' })
  },
  transpose(node) {
    const [rows, ...dims] = node.axes
    if (rows !== 0) throw cannotHold(TITLE, node, 'rows that change places with another axis')
    return described('Permute', node.name, { dims })
  },
  slice(node, shape) {
    const [{ axis, start, end, step }, ...more] = node.slices
    const [before, after] = [start ?? 0, end === null ? 0 : -end]
    if (
      more.length > 0 ||
      shape.length !== 3 ||
      axis !== 1 ||
      step !== 1 ||
      before < 0 ||
      after < 0
    )
      throw cannotHold(TITLE, node, 'a slice that does not cut a number of steps off either end')
    return described('Cropping1D', node.name, { cropping: [before, after] })
  },
  concat(node) {
    if (node.axis === 0) throw cannotHold(TITLE, node, 'rows that are joined')
    return { ...described('Concatenate', node.name, { axis: node.axis }), listed: true }
  },
  masking: null,
  reverse: null,
  gather: null,
  constant: null,
  range: null,
  binary: null,
  unary: null,
  where: null,
  matmul: null,
  conv: null,
  convTranspose: null,
  attention: null,
  multiHeadAttention: null,
}

const mergeClasses: Readonly<Record<Exclude<MergeNode['mode'], 'divide'>, string>> = {
  concatenate: 'Concatenate',
  add: 'Add',
  subtract: 'Subtract',
  multiply: 'Multiply',
  average: 'Average',
  maximum: 'Maximum',
  minimum: 'Minimum',
}

/** Activations with a parameter are layers of their own. */
export function activationLayer(act: Activation, name: string, node: LayerNode): Described {
  const [parameter] = act.parameters
  if (activationName(act) === null) {
    if (act.kind === 'leaky_relu')
      return described('LeakyReLU', name, { negative_slope: parameter })
    if (act.kind === 'elu') return described('ELU', name, { alpha: parameter })
    if (act.kind === 'clipped_relu')
      return described('ReLU', name, { max_value: parameter, negative_slope: 0, threshold: 0 })
  }
  return described('Activation', name, { activation: named(act, node) })
}

/** A layer with a kernel, perhaps a bias, and an activation. */
function kernelLayer(
  className: string,
  { name, activation, weights: { kernel, bias } }: NodeOf<'dense' | 'conv1d'>,
  own: object,
): Described {
  const config = {
    ...own,
    activation: activationName(activation) ?? 'linear',
    use_bias: bias !== null,
    kernel_initializer: glorot,
    bias_initializer: zerosInitializer,
    ...untrained(['kernel', 'bias']),
    activity_regularizer: null,
  }
  return described(className, name, config, vars([kernel, bias]))
}

function scaleAndShift({ epsilon, weights }: NodeOf<'batchNorm' | 'layerNorm'>): object {
  return {
    epsilon,
    center: weights.beta !== null,
    scale: weights.gamma !== null,
    beta_initializer: zerosInitializer,
    gamma_initializer: initializer('Ones'),
  }
}

/** The name of a convolution's padding in Keras; null where it needs a ZeroPadding1D before it. */
export function paddingOf(node: NodeOf<'conv1d'>): 'same' | 'causal' | 'valid' | null {
  const { padding, size, stride, dilation } = node
  if (padding === 'same') return 'same'
  const { before, after } = padding
  if (after === 0 && before === 0) return 'valid'
  const reach = (size - 1) * dilation
  if (after === 0 && before === reach) return 'causal'
  // With a stride, the padding of `same` depends on the number of steps.
  const half = Math.floor(reach / 2)
  return stride === 1 && before === half && after === reach - half ? 'same' : null
}

/** Zeros before and after the steps. */
export function zeroPadding(
  node: LayerNode,
  name: string,
  { before, after }: { readonly before: number; readonly after: number },
): Described {
  if (before < 0 || after < 0) throw cannotHold(TITLE, node, 'a padding that cuts')
  return described('ZeroPadding1D', name, { padding: [before, after] })
}

function vars(tensors: readonly (Tensor | null)[]): Named<Tensor> {
  const there = tensors.filter((tensor) => tensor !== null)
  return Object.fromEntries(there.map((tensor, i) => [`vars/${i}`, toSingle(tensor)]))
}

/** @throws GruvError for layers that Keras 3 has no class for. */
export function describeLayer(node: OtherNode, shape: readonly Dim[]): Described {
  // The table's type ties each kind to its node; TypeScript cannot follow an index.
  const describe = describers[node.kind] as Describe<OtherNode> | null
  if (describe === null) throw cannotHold(TITLE, node, 'this layer')
  return describe(node, shape)
}
