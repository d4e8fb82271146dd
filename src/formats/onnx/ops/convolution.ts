/**
 * Operators for convolutions, pools and normalisations. ONNX has the channels in axis 1, the Model
 * has them last.
 */

import { permuteAxes } from '../../../model/axes.ts'
import type { Dim, Padding } from '../../../model/types.ts'
import { dtypeOf, type Tensor } from '../../../tensor.ts'
import { type Graph, inOrder } from '../graph.ts'
import type { Op, Operators } from '../op.ts'
import { known, type Live, type Value } from '../values.ts'
import { type BinaryName, binary, number, unary } from './arithmetic.ts'
import { reduced } from './linear.ts'

export const spatial: Operators = {
  Conv: (op) => [conv(op)],
  ConvTranspose: (op) => [convTranspose(op)],
  MaxPool: (op) => [pool(op, 'max'), null],
  AveragePool: (op) => [pool(op, 'average')],
  BatchNormalization: (op) => [batchNorm(op)],
  LayerNormalization: (op) => [layerNorm(op), null, null],
  InstanceNormalization: (op) => [instanceNorm(op)],
}

const linearActivation = { kind: 'linear', parameters: [] } as const

/** [rows, channels, ...space] → [rows, ...space, channels] */
function channelsLast(rank: number): readonly number[] {
  return [0, ...Array.from({ length: rank - 2 }, (_, i) => i + 2), 1]
}

/** A value with its channels last, seen with ONNX's axes. */
function fromChannelsLast(graph: Graph, value: string): Live {
  const rank = graph.shapeOf(value).length
  return inOrder(value, channelsLast(rank), rank)
}

interface Window {
  readonly sizes: readonly number[]
  readonly strides: readonly number[]
  readonly dilations: readonly number[]
  readonly padding: Padding
}

function perAxis(op: Op, name: string, count: number, fallback: number): readonly number[] {
  const values = op.ints(name) ?? Array.from({ length: count }, () => fallback)
  if (values.length === count && values.every((value) => value >= (name === 'pads' ? -1e6 : 1)))
    return values
  throw op.wrong(name, `${count} numbers from 1`, values.join(', '))
}

/**
 * Kernel sizes, strides and padding; `extents` are those of the space that the window moves over.
 */
function windowOf(op: Op, sizes: readonly number[], extents: readonly Dim[]): Window {
  const count = sizes.length
  const strides = perAxis(op, 'strides', count, 1)
  const dilations = perAxis(op, 'dilations', count, 1)
  const auto = op.string('auto_pad', 'NOTSET')
  if (auto === 'SAME_UPPER') return { sizes, strides, dilations, padding: 'same' }
  const none = sizes.map(() => ({ before: 0, after: 0 }))
  if (auto === 'VALID') return { sizes, strides, dilations, padding: none }
  if (auto === 'SAME_LOWER') {
    const padding = sizes.map((size, i) => {
      const extent = extents[i]
      if (typeof extent !== 'number')
        throw op.graph.unsupported('auto_pad SAME_LOWER of an extent that is not fixed')
      const reach = (size - 1) * dilations[i] + 1
      const total = Math.max((Math.ceil(extent / strides[i]) - 1) * strides[i] + reach - extent, 0)
      return { before: Math.ceil(total / 2), after: Math.floor(total / 2) }
    })
    return { sizes, strides, dilations, padding }
  }
  const pads = op.ints('pads') ?? sizes.flatMap(() => [0, 0])
  if (pads.length !== 2 * count) throw op.wrong('pads', `${2 * count} numbers`, pads.join(', '))
  const padding = sizes.map((_, i) => ({ before: pads[i], after: pads[i + count] }))
  return { sizes, strides, dilations, padding }
}

/** The input with its channels last, and the extents of its space. */
function channelsLastInput(
  op: Op,
  rank: number,
): { readonly x: string; readonly space: readonly Dim[] } {
  const live = op.graph.live(op.input(0))
  const shape = op.graph.extentsOf(live)
  if (shape.length !== rank) throw op.graph.misfit(`${op.type} takes ${rank} axes here`, live)
  return { x: op.graph.layOut(live, channelsLast(rank)), space: shape.slice(2) }
}

function kernelOf(op: Op): Tensor {
  const kernel = op.constant(1, 'the kernel')
  if (kernel === undefined || kernel.shape.length < 3 || kernel.data.length === 0)
    throw op.wrong('the kernel', 'at least three axes', `${kernel?.shape}`)
  return kernel
}

function conv(op: Op): Value {
  const kernel = kernelOf(op)
  const [units, perGroup, ...sizes] = kernel.shape
  const { x, space } = channelsLastInput(op, kernel.shape.length)
  const groups = groupsOf(op, units)
  const window = windowOf(op, sizes, space)
  // [units, features / groups, ...sizes] → [...sizes, features / groups, units]
  const order = [...sizes.map((_, i) => i + 2), 1, 0]
  const weights = { kernel: permuteAxes(kernel, order), bias: biasOf(op, units) }
  const shared = { groups, activation: linearActivation, weights }
  const { strides, dilations, padding } = window
  const { y } = op.graph.add(
    sizes.length === 1
      ? {
          kind: 'conv1d',
          features: perGroup * groups,
          units,
          size: sizes[0],
          stride: strides[0],
          dilation: dilations[0],
          padding: padding === 'same' ? padding : padding[0],
          ...shared,
        }
      : { kind: 'conv', strides, dilations, padding, ...shared },
    { x },
  )
  return fromChannelsLast(op.graph, y)
}

function groupsOf(op: Op, channels: number): number {
  const groups = op.int('group', 1)
  if (groups >= 1 && channels % groups === 0) return groups
  throw op.wrong('group', `a divisor of ${channels}`, `${groups}`)
}

function biasOf(op: Op, units: number): Tensor | null {
  const bias = op.constant(2, 'the bias')
  if (bias === undefined) return null
  if (bias.data.length === units) return { ...bias, shape: [units] }
  throw op.wrong('the bias', `${units} numbers`, `${bias.data.length}`)
}

function convTranspose(op: Op): Value {
  const kernel = kernelOf(op)
  const [features, perGroup, ...sizes] = kernel.shape
  const { x, space } = channelsLastInput(op, kernel.shape.length)
  const groups = groupsOf(op, features)
  const strides = perAxis(op, 'strides', sizes.length, 1)
  const dilations = perAxis(op, 'dilations', sizes.length, 1)
  const extra = op.ints('output_padding') ?? sizes.map(() => 0)
  const auto = op.string('auto_pad', 'NOTSET')
  const wanted = op.ints('output_shape')?.slice(-sizes.length)
  const given = op.ints('pads') ?? sizes.flatMap(() => [0, 0])
  if (given.length !== 2 * sizes.length || extra.length !== sizes.length)
    throw op.wrong('pads', `${2 * sizes.length} numbers`, given.join(', '))
  const padding = sizes.map((size, i) => {
    const reach = (size - 1) * dilations[i] + 1
    const extent = space[i]
    if (wanted === undefined && auto !== 'SAME_UPPER' && auto !== 'SAME_LOWER')
      return auto === 'VALID'
        ? { before: 0, after: 0 }
        : { before: given[i], after: given[i + sizes.length] }
    if (wanted !== undefined && typeof extent !== 'number')
      throw op.graph.unsupported('output_shape where the extent is not fixed')
    // stride·(extent − 1) + output_padding + reach − output, ONNX's formula.
    const total =
      wanted === undefined
        ? reach - strides[i] + extra[i]
        : strides[i] * (Number(extent) - 1) + extra[i] + reach - wanted[i]
    const less = Math.floor(total / 2)
    return auto === 'SAME_UPPER'
      ? { before: less, after: total - less }
      : { before: total - less, after: less }
  })
  // [features, units / groups, ...sizes] → [...sizes, units / groups, features]
  const order = [...sizes.map((_, i) => i + 2), 1, 0]
  const weights = { kernel: permuteAxes(kernel, order), bias: biasOf(op, perGroup * groups) }
  const { y } = op.graph.add(
    {
      kind: 'convTranspose',
      strides,
      dilations,
      padding,
      outputPadding: extra,
      groups,
      activation: linearActivation,
      weights,
    },
    { x },
  )
  return fromChannelsLast(op.graph, y)
}

function pool(op: Op, kind: 'max' | 'average'): Value {
  const sizes = op.ints('kernel_shape') ?? []
  if (sizes.length === 0 || sizes.some((size) => size < 1))
    throw op.wrong('kernel_shape', 'numbers from 1', sizes.join(', '))
  const { x, space } = channelsLastInput(op, sizes.length + 2)
  const window = windowOf(op, sizes, space)
  if (window.dilations.some((dilation) => dilation !== 1))
    throw op.graph.unsupported('a pool with dilations')
  const padding = op.int('ceil_mode', 0) === 0 ? window.padding : roundedUp(op, window, space)
  const { y } = op.graph.add(
    {
      kind: 'pool',
      op: kind,
      sizes,
      strides: window.strides,
      padding,
      countsPadding: op.int('count_include_pad', 0) !== 0,
    },
    { x },
  )
  return fromChannelsLast(op.graph, y)
}

/** ceil_mode: windows that begin inside and end outside count too. */
function roundedUp(op: Op, { sizes, strides, padding }: Window, space: readonly Dim[]): Padding {
  if (padding === 'same') return padding
  return padding.map(({ before, after }, i) => {
    const extent = space[i]
    if (typeof extent !== 'number')
      throw op.graph.unsupported('ceil_mode of an extent that is not fixed')
    const spare = extent + before + after - sizes[i]
    let count = Math.ceil(spare / strides[i]) + 1
    // A window must begin inside the input or the padding before it.
    if ((count - 1) * strides[i] >= extent + before) count--
    const missing = (count - 1) * strides[i] - spare
    if (missing > 0 && op.int('count_include_pad', 0) !== 0)
      throw op.graph.unsupported('ceil_mode together with count_include_pad')
    return { before, after: after + Math.max(missing, 0) }
  })
}

function batchNorm(op: Op): Value {
  const { graph } = op
  if (op.int('training_mode', 0) !== 0)
    throw graph.unsupported('BatchNormalization in training mode')
  const x = graph.live(op.input(0))
  const [gamma, beta, mean, variance] = ['scale', 'bias', 'mean', 'variance'].map(
    (name, i) => op.constant(i + 1, name) ?? null,
  )
  if (mean === null || variance === null)
    throw op.wrong('mean and variance', 'two vectors', 'nothing')
  const channels = mean.data.length
  const live = graph.withLast(x, x.view.length === 1 ? 0 : 1)
  if (
    !graph.symbols.unify(graph.shapeOf(live.value).at(-1)!, channels) ||
    variance.data.length !== channels
  )
    throw graph.misfit('BatchNormalization has other channels', x, known(mean))
  const weights = { gamma, beta, mean, variance }
  const { y } = graph.add(
    { kind: 'batchNorm', epsilon: op.float('epsilon', 1e-5), weights },
    { x: live.value },
  )
  return { ...live, value: y }
}

function layerNorm(op: Op): Value {
  const { graph } = op
  const x = graph.live(op.input(0))
  const shape = graph.extentsOf(x)
  const axis = op.axis(op.int('axis', -1), shape.length)
  const count = shape.length - axis
  const live =
    count === 1
      ? graph.withLast(x, axis)
      : graph.reordered(
          x,
          shape.map((_, i) => i),
        )
  const flat = (tensor: Tensor | undefined): Tensor | null =>
    tensor === undefined ? null : { ...tensor, shape: [tensor.data.length] }
  const weights = { gamma: flat(op.constant(1, 'scale')), beta: flat(op.constant(2, 'bias')) }
  const { y } = graph.add(
    { kind: 'layerNorm', epsilon: op.float('epsilon', 1e-5), axes: count, weights },
    { x: live.value },
  )
  return { ...live, value: y }
}

/** scale·(x − mean)/√(variance + epsilon) + bias, over the space of each channel. */
function instanceNorm(op: Op): Value {
  const { graph } = op
  const x = op.input(0)
  const rank = graph.extentsOf(x).length
  const space = Array.from({ length: Math.max(rank - 2, 0) }, (_, i) => i + 2)
  const perChannel = (index: number, name: string): Value => {
    const tensor = op.constant(index, name)
    if (tensor === undefined) throw op.wrong(name, 'a vector', 'nothing')
    const shape = [tensor.data.length, ...space.map(() => 1)]
    return known({ shape, data: tensor.data, dtype: dtypeOf(tensor) })
  }
  const both = (name: BinaryName, a: Value, b: Value): Value => binary(graph, name, a, b)
  const centred = both('subtract', x, reduced(graph, 'mean', x, space, true))
  const variance = reduced(graph, 'mean', both('multiply', centred, centred), space, true)
  const epsilon = number(op.float('epsilon', 1e-5))
  const deviation = unary(graph, 'sqrt', both('add', variance, epsilon))
  const scaled = both('multiply', both('divide', centred, deviation), perChannel(1, 'scale'))
  return both('add', scaled, perChannel(2, 'bias'))
}
