/** Reads the activations of GRU, LSTM and RNN, and their grounds. */

import {
  type Activation,
  activation,
  activationParameters,
  type ElementwiseKind,
  showActivation,
} from '../../../model/activation/activations.ts'
import { type Ground, implied, stated } from '../../../model/conventions/grounds.ts'
import type { Op } from '../op.ts'

export function byDefinition<T>(value: T): Ground<T> {
  return implied(value, 'ONNX defines it so')
}

/** gruv's names for ONNX's functions. The table of activations has the parameters of each. */
const functionNames: ReadonlyMap<string, ElementwiseKind> = new Map([
  ['relu', 'relu'],
  ['tanh', 'tanh'],
  ['sigmoid', 'sigmoid'],
  ['affine', 'affine'],
  ['leakyrelu', 'leaky_relu'],
  ['thresholdedrelu', 'thresholded_relu'],
  ['scaledtanh', 'scaled_tanh'],
  ['hardsigmoid', 'hard_sigmoid'],
  ['elu', 'elu'],
  ['softsign', 'softsign'],
  ['softplus', 'softplus'],
])

/**
 * ONNX defines their defaults by operators of the same names; ONNX Runtime takes 0 in their place.
 */
const unsettled: readonly ElementwiseKind[] = ['affine', 'thresholded_relu', 'scaled_tanh']

function warnOfDefaults(op: Op, name: string, gruvName: string): void {
  const shown = showActivation(activation(gruvName))
  op.graph.warnings.add(
    `${op.graph.where}: ${name} has no alpha or beta of its own in the file, so ONNX's defaults count, ${shown}; ONNX Runtime computes with 0`,
  )
}

/** The functions of each direction. alpha and beta go, in order, to those that take one. */
export function functionsOf(
  op: Op,
  defaults: readonly string[],
  directions: number,
): readonly (readonly Ground<Activation>[])[] {
  const given = op.strings('activations')
  const names = given.length === 0 ? defaults : given
  const count = defaults.length
  if (names.length !== count && names.length !== count * directions)
    throw op.wrong('activations', `${count * directions} names`, names.join(', '))
  const alphas = [...op.floats('activation_alpha')]
  const betas = [...op.floats('activation_beta')]
  const grounds = names.map((name) => {
    const gruvName = functionNames.get(name.toLowerCase())
    if (gruvName === undefined)
      throw op.graph.unsupported(`an activation that ONNX does not have in a ${op.type}`, {
        got: name,
      })
    const takes = activationParameters[gruvName]
    const alpha = 'alpha' in takes ? alphas.shift() : undefined
    const beta = 'beta' in takes ? betas.shift() : undefined
    const parameters = {
      ...(alpha !== undefined && { alpha }),
      ...(beta !== undefined && { beta }),
    }
    if (unsettled.includes(gruvName) && Object.keys(parameters).length < Object.keys(takes).length)
      warnOfDefaults(op, name, gruvName)
    const value = activation(gruvName, parameters)
    return names === defaults
      ? byDefinition(value)
      : stated(value, 'the attribute activations says so')
  })
  return Array.from({ length: directions }, (_, at) => {
    const from = names.length === count ? 0 : at * count
    return grounds.slice(from, from + count)
  })
}
