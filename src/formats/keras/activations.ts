/** Reads activations as Keras writes them: a name, a function, or a layer of its own. */

import { GruvError } from '../../errors.ts'
import { type Activation, activation } from '../../model/activation/activations.ts'
import { type KerasVersion, Settings } from './settings.ts'

/** Whether the file names log(softmax), which is a node of its own. */
export function isLogSoftmax(value: unknown): boolean {
  if (typeof value === 'object' && value !== null && 'config' in value)
    return isLogSoftmax(value.config)
  return typeof value === 'string' && /(^|[>.])log_softmax$/i.test(value)
}

/**
 * An activation by its name, which can mean other things in other versions: `hard_sigmoid` changed
 * its slope in Keras 3.
 */
export function kerasActivation(value: unknown, version: KerasVersion, where: string): Activation {
  if (value === null || value === undefined) return activation('linear')
  if (typeof value === 'object') return ofObject(value as Record<string, unknown>, version, where)
  if (typeof value !== 'string')
    throw new GruvError('bad-file', 'an activation is a name', { where, got: typeof value })
  const name = value.toLowerCase().replace(/^.*[>.]/, '')
  switch (name) {
    case 'hard_sigmoid':
      // Keras 1 and 2: 0.2·a + 0.5; Keras 3: a/6 + 0.5 (activations.hard_sigmoid, ops
      // relu6(x+3)/6).
      return activation('hard_sigmoid', version.major >= 3 ? { alpha: 1 / 6, beta: 0.5 } : {})
    case 'gelu_new':
      // TF.js's name for the approximation with tanh.
      return activation('gelu_tanh')
    case 'leaky_relu':
      // Keras 3: negative_slope=0.2; TensorFlow's tf.nn.leaky_relu, which Keras 2 files name: 0.2.
      return activation('leaky_relu', { alpha: 0.2 })
    case 'gelu':
    case 'linear':
    case 'sigmoid':
    case 'tanh':
    case 'relu':
    case 'relu6':
    case 'elu':
    case 'selu':
    case 'softplus':
    case 'softsign':
    case 'exponential':
    case 'swish':
    case 'silu':
    case 'mish':
    case 'log_sigmoid':
    case 'hard_tanh':
    case 'softmax':
    case 'celu':
    case 'tanh_shrink':
    case 'hard_shrink':
    case 'soft_shrink':
    case 'hard_silu':
    case 'hard_swish':
      return activation(name)
    default:
      throw new GruvError('unsupported', `no activation is called '${value}'`, {
        where,
        fix: 'Functions of one’s own are code, which a model file does not hold.',
      })
  }
}

function ofObject(
  value: Readonly<Record<string, unknown>>,
  version: KerasVersion,
  where: string,
): Activation {
  const { class_name: kind, config } = value
  // {"class_name": "function", "config": "relu"}
  if (typeof config === 'string') return kerasActivation(config, version, where)
  if (typeof kind !== 'string')
    throw new GruvError('bad-file', 'this activation has no name', { where })
  const settings = new Settings(config ?? {}, where)
  const layer = activationLayer(kind, settings, version)
  if (layer !== null) return layer
  return kerasActivation(kind, version, where)
}

/** The activation that a layer of this class is; null where the class is no such layer. */
export function activationLayer(
  className: string,
  settings: Settings,
  version: KerasVersion,
): Activation | null {
  switch (className) {
    case 'Activation':
      return kerasActivation(settings.get('activation'), version, settings.where)
    case 'LeakyReLU':
      return activation('leaky_relu', {
        alpha: settings.number(['negative_slope', 'alpha'], 0.3),
      })
    case 'ELU':
      return activation('elu', { alpha: settings.number('alpha', 1) })
    case 'ThresholdedReLU':
      return activation('thresholded_relu', { alpha: settings.number('theta', 1) })
    case 'ReLU': {
      const relu = reluOf(reluParameters(settings))
      if (relu !== null) return relu
      throw new GruvError('unsupported', 'a ReLU with these parameters as an activation', {
        where: settings.where,
        fix: 'As a layer of its own it can be read.',
      })
    }
    default:
      return null
  }
}

/**
 * A ReLU layer in general: y = min(a if a > threshold else 0, max) − slope·max(threshold − a, 0).
 */
export interface ReluParameters {
  readonly max: number | null
  readonly slope: number
  readonly threshold: number
}

export function reluParameters(settings: Settings): ReluParameters {
  return {
    max: settings.numberOrNull('max_value'),
    slope: settings.numberOrNull('negative_slope') ?? 0,
    threshold: settings.numberOrNull('threshold') ?? 0,
  }
}

/** Those parameters that are one activation of the table; null for others. */
export function reluOf({ max, slope, threshold }: ReluParameters): Activation | null {
  if (threshold === 0 && slope === 0)
    return max === null ? activation('relu') : activation('clipped_relu', { max })
  if (max === null && threshold === 0) return activation('leaky_relu', { alpha: slope })
  if (max === null && slope === 0) return activation('thresholded_relu', { alpha: threshold })
  return null
}
