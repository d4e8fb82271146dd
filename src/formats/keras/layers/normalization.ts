/** Builds normalisation layers: of batches, of layers, and by numbers that the file states. */

import { showShape, type Tensor } from '../../../tensor.ts'
import { axisOf, fixed, type Nameless, type Result } from '../graph.ts'
import { entry, type LayerCall, type LayerEntry, sizeMismatch, unsupported } from '../layer.ts'
import type { Settings } from '../settings.ts'
import { constant, vector } from './core.ts'

/** Normalises the axes that an order of all axes puts last, and moves them back. */
function normalised(
  { graph, name, x }: LayerCall,
  node: Nameless,
  order: readonly number[],
): readonly Result[] {
  if (order.every((axis, i) => axis === i)) return [graph.one(name, node, { x })]
  const y = graph.one(name, node, { x: graph.transpose(`${name}.in`, x, order) })
  const back = order.map((_, i) => order.indexOf(i))
  return [graph.transpose(`${name}.out`, y, back)]
}

/** Normalises the last axis with numbers from training; another axis is moved there and back. */
const batchNorm = entry((call) => {
  const { settings, name, x } = call
  const rank = x.shape.length
  const axes = settings.has('axis') ? settings.integers('axis') : [-1]
  if (axes.length !== 1) throw unsupported(call, 'a normalisation over several axes')
  if (settings.number('mode', 0) !== 0)
    throw unsupported(
      call,
      'a normalisation by the batch at hand',
      `mode ${settings.number('mode')}`,
    )
  const axis = axisOf(axes[0], rank, name)
  const { gamma = null, beta = null, moving_mean: mean, moving_variance: variance } = call.weights()
  const node = {
    kind: 'batchNorm',
    epsilon: settings.number('epsilon', 1e-3),
    weights: { gamma, beta, mean, variance },
  } as const
  const order = x.shape.map((_, i) => (i === axis ? rank - 1 : i === rank - 1 ? axis : i))
  return normalised(call, node, order)
}, true)

const layerNorm = entry((call) => {
  const { settings, name, x } = call
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
  const others = x.shape.map((_, i) => i).filter((i) => !axes.includes(i))
  return normalised(call, node, [...others, ...axes])
}, true)

const rescaling = entry((call) => {
  const { settings, name, graph, x } = call
  const list = (key: string, fallback: number): Tensor => {
    const value = settings.get(key) ?? fallback
    return flat(settings, key, Array.isArray(value) ? value : settings.number(key, fallback))
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
  const scaledX = graph.binary(`${name}.scaled`, 'multiply', x, b)
  return [graph.binary(name, 'add', scaledX, c)]
}, 'since 3')

function statedMoments({ settings }: LayerCall): Readonly<Record<'mean' | 'variance', Tensor>> {
  const stated = (key: string): Tensor => flat(settings, key, settings.get(key))
  return { mean: stated('mean'), variance: stated('variance') }
}

/** A number, or all those of nested lists. */
function flat(settings: Settings, key: string, value: unknown): Tensor {
  const numbers = Array.isArray(value) ? value.flat(8) : [value]
  if (numbers.every((each): each is number => typeof each === 'number')) return vector(numbers)
  throw settings.wrong(key, 'numbers')
}

export const normalizationLayers: Readonly<Record<string, LayerEntry>> = {
  BatchNormalization: batchNorm,
  LayerNormalization: layerNorm,
  Rescaling: rescaling,
  Normalization: normalization,
}
