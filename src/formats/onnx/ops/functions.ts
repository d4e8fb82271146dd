/** The activations in GRU, LSTM and RNN, and where they come from. */

import { type Activation, activation, showActivation } from '../../../model/activations.ts'
import type { Ground } from '../../../model/grounds.ts'
import type { Op } from '../op.ts'

export const byDefinition = <T>(value: T): Ground<T> => ({
  value,
  origin: 'implied',
  why: 'ONNX defines it so',
})
export const stated = <T>(value: T, why: string): Ground<T> => ({ value, origin: 'stated', why })

/** Names of ONNX's functions in ours. Which parameters each takes stands in our table. */
const functionNames: Readonly<Record<string, string>> = {
  relu: 'relu',
  tanh: 'tanh',
  sigmoid: 'sigmoid',
  affine: 'affine',
  leakyrelu: 'leaky_relu',
  thresholdedrelu: 'thresholded_relu',
  scaledtanh: 'scaled_tanh',
  hardsigmoid: 'hard_sigmoid',
  elu: 'elu',
  softsign: 'softsign',
  softplus: 'softplus',
}

const takesAlpha = new Set([
  'affine',
  'leakyrelu',
  'thresholdedrelu',
  'scaledtanh',
  'hardsigmoid',
  'elu',
])
const takesBeta = new Set(['affine', 'scaledtanh', 'hardsigmoid'])

/** ONNX defines their defaults by operators of the same names; ONNX Runtime takes 0 in their place. */
const unsettled = new Set(['affine', 'thresholdedrelu', 'scaledtanh'])

function warnOfDefaults(op: Op, name: string, ours: string): void {
  const shown = showActivation(activation(ours))
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
    const key = name.toLowerCase()
    const ours = Object.hasOwn(functionNames, key) ? functionNames[key] : undefined
    if (ours === undefined)
      throw op.graph.unsupported(`an activation that ONNX does not have in a ${op.type}`, {
        got: name,
      })
    const alpha = takesAlpha.has(key) ? alphas.shift() : undefined
    const beta = takesBeta.has(key) ? betas.shift() : undefined
    if (unsettled.has(key) && (alpha === undefined || (takesBeta.has(key) && beta === undefined)))
      warnOfDefaults(op, name, ours)
    const value = activation(ours, {
      ...(alpha !== undefined && { alpha }),
      ...(beta !== undefined && { beta }),
    })
    return given.length === 0
      ? byDefinition(value)
      : stated(value, 'the attribute activations says so')
  })
  return Array.from({ length: directions }, (_, at) => {
    const from = names.length === count ? 0 : at * count
    return grounds.slice(from, from + count)
  })
}
