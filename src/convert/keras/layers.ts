/** Layers without a state as Keras 3 describes them. */

import type { Activation } from '../../model/activations.ts'
import type { Dim, LayerKind, LayerNode, NodeOf } from '../../model/types.ts'
import type { Named, Tensor } from '../../tensor.ts'
import { cannotHold } from '../target.ts'
import { toSingle } from '../weights.ts'
import {
  activationName,
  base,
  glorot,
  initializer,
  named,
  untrained,
  zerosInitializer,
} from './layer.ts'
import type { Described } from './recurrent.ts'

type Describe<K extends LayerKind> = (
  node: NodeOf<K>,
  shape: readonly Dim[],
) => Described & { readonly listed?: boolean }

const TITLE = 'Keras'

const describers: { readonly [K in LayerKind]?: Describe<K> } = {
  dense: (node) => ({
    className: 'Dense',
    config: {
      ...base(node.name),
      units: node.units,
      activation: activationName(node.activation) ?? 'linear',
      use_bias: node.weights.bias !== null,
      kernel_initializer: glorot,
      bias_initializer: zerosInitializer,
      ...untrained(['kernel', 'bias']),
      activity_regularizer: null,
    },
    weights: vars([node.weights.kernel, node.weights.bias]),
  }),
  activation: (node) => activationLayer(node.activation, node.name, node),
  prelu(node, shape) {
    const { data } = node.weights.alpha
    const features = Number(shape.at(-1))
    const all = data.length === 1 ? new Float32Array(features).fill(data[0]) : data
    // One slope for all steps has an extent of 1 there.
    const ones = shape.slice(1, -1).map(() => 1)
    return {
      className: 'PReLU',
      config: {
        ...base(node.name),
        alpha_initializer: zerosInitializer,
        ...untrained(['alpha']),
        shared_axes: ones.length === 0 ? null : ones.map((_, i) => i + 1),
      },
      weights: vars([{ shape: [...ones, features], data: all }]),
    }
  },
  embedding(node) {
    if (node.outputs.mask !== undefined)
      throw cannotHold(TITLE, node, 'a mask, which would reach other layers than here')
    const [count, units] = node.weights.table.shape
    return {
      className: 'Embedding',
      config: {
        ...base(node.name),
        input_dim: count,
        output_dim: units,
        embeddings_initializer: initializer('RandomUniform', {
          seed: null,
          minval: -0.05,
          maxval: 0.05,
        }),
        ...untrained(['embeddings']),
        activity_regularizer: null,
        mask_zero: false,
      },
      weights: vars([node.weights.table]),
    }
  },
  batchNorm(node) {
    const { gamma, beta, mean, variance } = node.weights
    return {
      className: 'BatchNormalization',
      config: {
        ...base(node.name),
        axis: -1,
        momentum: 0.99,
        epsilon: node.epsilon,
        center: beta !== null,
        scale: gamma !== null,
        beta_initializer: zerosInitializer,
        gamma_initializer: initializer('Ones'),
        moving_mean_initializer: zerosInitializer,
        moving_variance_initializer: initializer('Ones'),
        ...untrained(['beta', 'gamma']),
        synchronized: false,
      },
      weights: vars([gamma, beta, mean, variance]),
    }
  },
  layerNorm(node) {
    if (node.axes !== 1) throw cannotHold(TITLE, node, 'a normalisation over several axes')
    const { gamma, beta } = node.weights
    return {
      className: 'LayerNormalization',
      config: {
        ...base(node.name),
        axis: -1,
        epsilon: node.epsilon,
        center: beta !== null,
        scale: gamma !== null,
        beta_initializer: zerosInitializer,
        gamma_initializer: initializer('Ones'),
        ...untrained(['beta', 'gamma']),
      },
      weights: vars([gamma, beta]),
    }
  },
  conv1d(node) {
    const { size, stride, dilation, groups, units } = node
    return {
      className: 'Conv1D',
      config: {
        ...base(node.name),
        filters: units,
        kernel_size: [size],
        strides: [stride],
        padding: paddingOf(node) ?? 'valid',
        data_format: 'channels_last',
        dilation_rate: [dilation],
        groups,
        activation: activationName(node.activation) ?? 'linear',
        use_bias: node.weights.bias !== null,
        kernel_initializer: glorot,
        bias_initializer: zerosInitializer,
        ...untrained(['kernel', 'bias']),
        activity_regularizer: null,
      },
      weights: vars([node.weights.kernel, node.weights.bias]),
    }
  },
  merge(node) {
    const classes: Readonly<Partial<Record<typeof node.mode, string>>> = {
      concatenate: 'Concatenate',
      add: 'Add',
      subtract: 'Subtract',
      multiply: 'Multiply',
      average: 'Average',
      maximum: 'Maximum',
      minimum: 'Minimum',
    }
    const className = classes[node.mode]
    if (className === undefined) throw cannotHold(TITLE, node, 'a division of two values')
    const config = { ...base(node.name), ...(node.mode === 'concatenate' && { axis: -1 }) }
    return { className, config, weights: {}, listed: true }
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
    const className =
      node.op === 'mean'
        ? 'GlobalAveragePooling1D'
        : node.op === 'max'
          ? 'GlobalMaxPooling1D'
          : undefined
    if (className === undefined || shape.length !== 3 || node.axes.join() !== '1')
      throw cannotHold(TITLE, node, 'this reduction')
    const config = { ...base(node.name), data_format: 'channels_last', keepdims: node.keepAxes }
    return { className, config, weights: {} }
  },
  pool(node, shape) {
    const [size] = node.sizes
    const valid =
      node.padding !== 'same' && node.padding.every(({ before, after }) => before + after === 0)
    if (shape.length !== 3 || !(valid || node.padding === 'same'))
      throw cannotHold(TITLE, node, 'this pooling')
    return {
      className: node.op === 'max' ? 'MaxPooling1D' : 'AveragePooling1D',
      config: {
        ...base(node.name),
        pool_size: [size],
        padding: valid ? 'valid' : 'same',
        strides: [node.strides[0]],
        data_format: 'channels_last',
      },
      weights: {},
    }
  },
  expand(node, shape) {
    const [batch, steps, features] = node.shape
    const repeats =
      shape.length === 3 && shape[1] === 1 && shape[0] === batch && shape[2] === features
    if (!repeats || typeof steps !== 'number')
      throw cannotHold(TITLE, node, 'an expansion of anything but a single step')
    return { className: 'UpSampling1D', config: { ...base(node.name), size: steps }, weights: {} }
  },
  reshape(node) {
    const [batch, ...target] = node.shape
    if (batch !== 'batch' || target.some((dim) => typeof dim !== 'number'))
      throw cannotHold(TITLE, node, 'a reshape over the batch or over time')
    const config = { ...base(node.name), target_shape: target }
    return { className: 'Reshape', config, weights: {} }
  },
}

/** Activations with a parameter are layers of their own. */
export function activationLayer(act: Activation, name: string, node: LayerNode): Described {
  const [parameter] = act.parameters
  const layer = (className: string, config: object): Described => ({
    className,
    config: { ...base(name), ...config },
    weights: {},
  })
  if (activationName(act) !== null) return layer('Activation', { activation: named(act, node) })
  switch (act.kind) {
    case 'leaky_relu':
      return layer('LeakyReLU', { negative_slope: parameter })
    case 'elu':
      return layer('ELU', { alpha: parameter })
    case 'clipped_relu':
      return layer('ReLU', { max_value: parameter, negative_slope: 0, threshold: 0 })
    default:
      return layer('Activation', { activation: named(act, node) })
  }
}

/** The padding of Keras that a convolution has, or null where it takes a ZeroPadding1D before it. */
export function paddingOf(node: NodeOf<'conv1d'>): 'same' | 'causal' | 'valid' | null {
  const { padding, size, stride, dilation } = node
  if (padding === 'same') return 'same'
  const { before, after } = padding
  if (after === 0 && before === 0) return 'valid'
  const reach = (size - 1) * dilation
  if (after === 0 && before === reach) return 'causal'
  // Steps decide over `same` where a stride skips some of them.
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
  const config = { ...base(name), padding: [before, after] }
  return { className: 'ZeroPadding1D', config, weights: {} }
}

function vars(tensors: readonly (Tensor | null)[]): Named<Tensor> {
  const there = tensors.filter((tensor) => tensor !== null)
  return Object.fromEntries(there.map((tensor, i) => [`vars/${i}`, toSingle(tensor)]))
}

/** @throws GruvError for layers that Keras 3 has no class for. */
export function describeLayer(
  node: LayerNode,
  shape: readonly Dim[],
): Described & { readonly listed?: boolean } {
  // The table's type ties each kind to its node; TypeScript cannot follow an index.
  const describe = describers[node.kind] as Describe<LayerKind> | undefined
  if (describe === undefined) throw cannotHold(TITLE, node, 'this layer')
  return describe(node as never, shape)
}
