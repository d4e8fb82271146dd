/** Layers as Keras 3 describes them: a class, a configuration, weights under the names of objects. */

import type { Activation } from '../../model/activations.ts'
import type { Dim, LayerNode } from '../../model/types.ts'
import type { Named, Tensor } from '../../tensor.ts'
import { cannotHold } from '../target.ts'

/** A tensor between layers: which layer made it, and as which of its outputs. */
export interface Origin {
  readonly layer: string
  readonly tensor: number
  readonly shape: readonly Dim[]
  readonly dtype: 'float32' | 'int32'
}

export interface KerasLayer {
  readonly className: string
  readonly name: string
  readonly config: Readonly<Record<string, unknown>>
  /** By their paths within the layer: `cell/vars/0`. */
  readonly weights: Named<Tensor>
  readonly inputs: readonly Origin[]
  /** Whether they arrive as one list, as at layers that merge. */
  readonly listed?: boolean
  readonly kwargs?: Readonly<Record<string, unknown>>
}

type Config = Readonly<Record<string, unknown>>

const policy = {
  module: 'keras',
  class_name: 'DTypePolicy',
  config: { name: 'float32' },
  registered_name: null,
}

/** What every layer's configuration begins with. */
export function base(name: string): Config {
  return { name, trainable: true, dtype: policy }
}

export function initializer(className: string, config: Config = {}): Config {
  return { module: 'keras.initializers', class_name: className, config, registered_name: null }
}

/** Nothing of it matters once a model is trained, and Keras asks for all of it. */
export function untrained(parts: readonly string[]): Config {
  const keys = parts.flatMap((part) => [`${part}_regularizer`, `${part}_constraint`])
  return Object.fromEntries(keys.map((key) => [key, null]))
}

export const glorot = initializer('GlorotUniform', { seed: null })
export const zerosInitializer = initializer('Zeros')

/** Names of Keras 3 for activations that stand in a layer's configuration; null for none. */
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
    default:
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

/** `SimpleRNN` → `simple_rnn`, as Keras names the objects of a class. */
export function snakeCase(name: string): string {
  return name
    .replaceAll(/(.)([A-Z][a-z]+)/g, '$1_$2')
    .replaceAll(/([a-z])([A-Z])/g, '$1_$2')
    .toLowerCase()
}

/** A shape as Keras has it: null for what is known only when a model runs. */
export function kerasShape(shape: readonly Dim[]): readonly (number | null)[] {
  return shape.map((dim) => (typeof dim === 'number' ? dim : null))
}
