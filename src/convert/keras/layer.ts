/** The description of a layer in Keras 3: its class, its configuration and its weights. */

import type { Activation } from '../../model/activation/activations.ts'
import type { Dim, LayerNode } from '../../model/types.ts'
import type { Named, Tensor } from '../../tensor.ts'
import { cannotHold } from '../target.ts'

/** A tensor between layers: the layer that makes it, and the index among its outputs. */
export interface Origin {
  readonly layer: string
  readonly tensor: number
  readonly shape: readonly Dim[]
  readonly dtype: 'float32' | 'int32'
}

type Config = Readonly<Record<string, unknown>>

/** A layer without its inputs. */
export interface Described {
  readonly className: string
  readonly config: Config
  /** By their paths within the layer: `cell/vars/0`. */
  readonly weights: Named<Tensor>
  /** Whether its inputs are passed as one list, as merge layers take them. */
  readonly listed?: boolean
}

export interface KerasLayer extends Described {
  readonly name: string
  readonly inputs: readonly Origin[]
  readonly kwargs?: Config
}

const policy = {
  module: 'keras',
  class_name: 'DTypePolicy',
  config: { name: 'float32' },
  registered_name: null,
}

/** A layer; every configuration begins with its name. */
export function described(
  className: string,
  name: string,
  config: Config,
  weights: Named<Tensor> = {},
): Described {
  return { className, config: { name, trainable: true, dtype: policy, ...config }, weights }
}

export function initializer(className: string, config: Config = {}): Config {
  return { module: 'keras.initializers', class_name: className, config, registered_name: null }
}

/** Keras requires these entries, which have no effect once a model is trained. */
export function untrained(parts: readonly string[]): Config {
  const keys = parts.flatMap((part) => [`${part}_regularizer`, `${part}_constraint`])
  return Object.fromEntries(keys.map((key) => [key, null]))
}

export const glorot = initializer('GlorotUniform', { seed: null })
export const zerosInitializer = initializer('Zeros')

/** The name of an activation in the configuration of a layer of Keras 3; null where it has none. */
export function activationName({ kind, parameters }: Activation): string | null {
  const [first, second] = parameters
  switch (kind) {
    case 'hard_sigmoid':
      // Keras 3: x/6 + 0.5. Keras 1 and 2 had 0.2·x + 0.5 under the same name.
      return first === 1 / 6 && second === 0.5 ? 'hard_sigmoid' : null
    case 'leaky_relu':
      return first === 0.2 ? 'leaky_relu' : null
    case 'elu':
      return first === 1 ? 'elu' : null
    case 'clipped_relu':
      return first === 6 ? 'relu6' : null
    case 'affine':
    case 'scaled_tanh':
    case 'thresholded_relu':
    case 'gelu_tanh':
      return null
    case 'linear':
    case 'sigmoid':
    case 'tanh':
    case 'hard_tanh':
    case 'relu':
    case 'selu':
    case 'celu':
    case 'softplus':
    case 'softsign':
    case 'exponential':
    case 'silu':
    case 'gelu':
    case 'mish':
    case 'log_sigmoid':
    case 'hard_swish':
    case 'tanh_shrink':
    case 'hard_shrink':
    case 'soft_shrink':
    case 'softmax':
      return kind
  }
}

/** @throws GruvError `unsupported` for activations without a name in Keras 3. */
export function named(act: Activation, node: LayerNode): string {
  const name = activationName(act)
  if (name !== null) return name
  const slope = act.kind === 'hard_sigmoid' ? ` with a slope of ${act.parameters[0]}` : ''
  throw cannotHold('Keras 3', node, `the activation ${act.kind}${slope}`)
}

/** A shape in Keras: null for an extent that is known only when a model runs. */
export function kerasShape(shape: readonly Dim[]): readonly (number | null)[] {
  return shape.map((dim) => (typeof dim === 'number' ? dim : null))
}
