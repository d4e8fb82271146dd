/** Normalisation: of batches, of layers, by numbers that the file states. */

import { showShape, type Tensor } from '../../../tensor.ts'
import { axisOf, fixed } from '../graph.ts'
import { entry, type LayerCall, type LayerEntry, sizeMismatch, unsupported } from '../layer.ts'
import { constant, vector } from './core.ts'

/** The order that brings these axes behind all others, and the one that leads back. */
function toTheEnd(
  rank: number,
  axes: readonly number[],
): { readonly there: readonly number[]; readonly back: readonly number[] } {
  const others = Array.from({ length: rank }, (_, i) => i).filter((i) => !axes.includes(i))
  const there = [...others, ...axes]
  return { there, back: there.map((_, i) => there.indexOf(i)) }
}

/** Normalises the last axis with numbers from training; another axis is brought there and back. */
const batchNorm = entry((call) => {
  const { settings, name, graph, x } = call
  const rank = x.shape.length
  const axes = settings.has('axis') ? settings.integers('axis') : [-1]
  if (axes.length !== 1) throw unsupported(call, 'a normalisation over several axes')
  if (settings.number('mode', 0) !== 0)
    throw unsupported(call, 'a normalisation by the batch at hand', `mode ${settings.get('mode')}`)
  const axis = axisOf(axes[0], rank, name)
  const { gamma = null, beta = null, moving_mean: mean, moving_variance: variance } = call.weights()
  const node = {
    kind: 'batchNorm',
    epsilon: settings.number('epsilon', 1e-3),
    weights: { gamma, beta, mean, variance },
  } as const
  const order = x.shape.map((_, i) => (i === axis ? rank - 1 : i === rank - 1 ? axis : i))
  if (axis === rank - 1) return [graph.one(name, node, { x })]
  const turned = graph.one(`${name}.in`, { kind: 'transpose', axes: order }, { x })
  const y = graph.one(name, node, { x: turned })
  return [graph.one(`${name}.out`, { kind: 'transpose', axes: order }, { x: y })]
}, true)

const layerNorm = entry((call) => {
  const { settings, name, graph, x } = call
  const rank = x.shape.length
  if (settings.bool('rms_scaling', false)) throw unsupported(call, 'rms_scaling')
  const axes = (settings.has('axis') ? settings.integers('axis') : [-1])
    .map((axis) => axisOf(axis, rank, name))
    .sort((a, b) => a - b)
  if (axes.length === 0 || axes[0] === 0 || new Set(axes).size < axes.length)
    throw unsupported(call, 'a normalisation over these axes', axes.join(', '))
  const { gamma = null, beta = null } = call.weights()
  const node = {
    kind: 'layerNorm',
    epsilon: settings.number('epsilon', 1e-3),
    axes: axes.length,
    weights: { gamma, beta },
  } as const
  if (axes.every((axis, i) => axis === rank - axes.length + i))
    return [graph.one(name, node, { x })]
  const { there, back } = toTheEnd(rank, axes)
  const turned = graph.one(`${name}.in`, { kind: 'transpose', axes: there }, { x })
  const y = graph.one(name, node, { x: turned })
  return [graph.one(`${name}.out`, { kind: 'transpose', axes: back }, { x: y })]
}, true)

const rescaling = entry((call) => {
  const { settings, name, graph, x } = call
  const list = (key: string, fallback: number): Tensor => {
    const value = settings.get(key) ?? fallback
    const numbers = Array.isArray(value) ? value.flat(8) : [settings.number(key, fallback)]
    if (!numbers.every((each) => typeof each === 'number')) throw settings.wrong(key, 'numbers')
    return vector(numbers)
  }
  return [
    graph.one(
      name,
      { kind: 'affine', weights: { scale: list('scale', 1), shift: list('offset', 0) } },
      { x },
    ),
  ]
}, 'since 3')

/** (x − mean) / max(√variance, 1e-7), Keras's `backend.epsilon()`. */
const normalization = entry((call) => {
  const { settings, name, graph, x } = call
  const rank = x.shape.length
  const stated = settings.get('axis')
  const axes = (stated === null ? [] : stated === undefined ? [-1] : settings.integers('axis'))
    .map((axis) => axisOf(axis, rank, name))
    .sort((a, b) => a - b)
  const invert = settings.bool('invert', false)
  const { mean, variance } = settings.get('mean') == null ? call.weights() : statedMoments(call)
  const deviation = Float64Array.from(variance.data, (each) => Math.max(Math.sqrt(each), 1e-7))
  const scale = invert ? deviation : deviation.map((each) => 1 / each)
  const shift = Float64Array.from(mean.data, (each, i) => (invert ? each : -each * scale[i]))
  if (scale.length !== shift.length)
    throw sizeMismatch(`${name}: variance`, showShape(mean.shape), showShape(variance.shape))
  if (scale.length === 1 || axes.join() === `${rank - 1}`) {
    const weights = { scale: vector(scale), shift: vector(shift) }
    return [graph.one(name, { kind: 'affine', weights }, { x })]
  }
  // One pair of numbers for each place on the axes that are kept.
  const shape = x.shape.map((extent, i) => (axes.includes(i) ? fixed(extent, name, 'an axis') : 1))
  if (shape.reduce((a, b) => a * b, 1) !== scale.length)
    throw sizeMismatch(`${name}: mean`, showShape(shape), showShape(mean.shape))
  const b = constant(graph, `${name}.scale`, { shape, data: scale })
  const c = constant(graph, `${name}.shift`, { shape, data: shift })
  const scaledX = graph.one(`${name}.scaled`, { kind: 'binary', op: 'multiply' }, { a: x, b })
  return [graph.one(name, { kind: 'binary', op: 'add' }, { a: scaledX, b: c })]
}, 'since 3')

function statedMoments(call: LayerCall): { readonly mean: Tensor; readonly variance: Tensor } {
  const flat = (key: string): Tensor => {
    const value = call.settings.get(key)
    const numbers = Array.isArray(value) ? value.flat(8) : [value]
    if (numbers.every((each): each is number => typeof each === 'number')) return vector(numbers)
    throw call.settings.wrong(key, 'numbers')
  }
  return { mean: flat('mean'), variance: flat('variance') }
}

export const normalizationLayers: Readonly<Record<string, LayerEntry>> = {
  BatchNormalization: batchNorm,
  LayerNormalization: layerNorm,
  Rescaling: rescaling,
  Normalization: normalization,
}
