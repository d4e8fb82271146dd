/** Shapes of the layers on whole tensors. */

import { GruvError } from '../../errors.ts'
import { type Named, showShape, type Tensor } from '../../tensor.ts'
import { common, plus, product, quotient, sliceCount, sum, times, windows } from '../dims.ts'
import type {
  AttentionNode,
  ConvNode,
  ConvTransposeNode,
  Dim,
  ExpandNode,
  LayerNode,
  MatmulNode,
  MultiHeadAttentionNode,
  Padding,
  PoolNode,
  ReduceNode,
  ReshapeNode,
  SliceNode,
  TensorNode,
} from '../types.ts'
import { type LayerShapes, misfit, presentWeights, type Shape } from './shape.ts'

const x = { x: 'required' } as const
const ab = { a: 'required', b: 'required' } as const

export const tensorShapes: LayerShapes<TensorNode['kind']> = {
  reverse: {
    inputs: x,
    outputs: (node, { x }) => {
      axisOf(node, 1, x)
      return { y: x }
    },
  },
  reshape: { inputs: x, outputs: (node, { x }) => ({ y: reshaped(node, x) }) },
  transpose: {
    inputs: x,
    outputs: (node, { x }) => {
      const sorted = [...node.axes].sort((a, b) => a - b)
      if (sorted.length !== x.length || sorted.some((axis, i) => axis !== i)) {
        throw misfit(node, 'x', x, `${node.axes.length} axes for the order ${node.axes.join(', ')}`)
      }
      return { y: node.axes.map((axis) => x[axis]) }
    },
  },
  expand: { inputs: x, outputs: (node, { x }) => ({ y: expanded(node, x) }) },
  slice: { inputs: x, outputs: (node, { x }) => ({ y: sliced(node, x) }) },
  concat: {
    inputs: null,
    outputs: (node, inputs) => {
      const shapes = Object.entries(inputs)
      const [, first] = shapes[0] ?? ['', []]
      axisOf(node, node.axis, first)
      const y = shapes.reduce<Shape>(
        (all, [port, shape]) =>
          meets(node, port, shape, all.with(node.axis, shape[node.axis] ?? 0)),
        first,
      )
      return { y: y.with(node.axis, sum(shapes.map(([, shape]) => shape[node.axis]))) }
    },
  },
  pad: {
    inputs: x,
    outputs: (node, { x }) => {
      if (node.pads.length !== x.length) throw misfit(node, 'x', x, `${node.pads.length} axes`)
      const y = x.map((extent, i) => plus(extent, node.pads[i].before + node.pads[i].after))
      return { y: positive(node, x, y) }
    },
  },
  gather: {
    inputs: { ...x, indices: 'required' },
    outputs: (node, { x, indices }) => {
      axisOf(node, node.axis, x)
      return { y: [...x.slice(0, node.axis), ...indices, ...x.slice(node.axis + 1)] }
    },
  },
  constant: {
    inputs: {},
    outputs: (node) => ({ y: node.weights.value.shape }),
    weights: ({ weights }) => presentWeights({ ...weights }),
  },
  binary: { inputs: ab, outputs: (node, { a, b }) => ({ y: broadcast(node, [a, b]) }) },
  unary: { inputs: x, outputs: (_, { x }) => ({ y: x }) },
  where: {
    inputs: { condition: 'required', ...ab },
    outputs: (node, { condition, a, b }) => ({ y: broadcast(node, [condition, a, b]) }),
  },
  reduce: { inputs: x, outputs: (node, { x }) => ({ y: reduced(node, x) }) },
  matmul: { inputs: ab, outputs: (node, { a, b }) => ({ y: matmul(node, a, b) }) },
  softmax: {
    inputs: x,
    outputs: (node, { x }) => {
      axisOf(node, node.axis, x)
      return { y: x }
    },
  },
  conv: {
    inputs: x,
    outputs: (node, { x }) => ({ y: convolved(node, x) }),
    weights: ({ weights }) => presentWeights({ ...weights }),
  },
  convTranspose: {
    inputs: x,
    outputs: (node, { x }) => ({ y: unconvolved(node, x) }),
    weights: ({ weights }) => presentWeights({ ...weights }),
  },
  pool: { inputs: x, outputs: (node, { x }) => ({ y: pooled(node, x) }) },
  attention: {
    inputs: {
      query: 'required',
      value: 'required',
      key: 'optional',
      queryMask: 'optional',
      valueMask: 'optional',
    },
    outputs: attended,
    weights: ({ weights }) => presentWeights({ ...weights }),
  },
  multiHeadAttention: {
    inputs: {
      query: 'required',
      value: 'required',
      key: 'optional',
      queryMask: 'optional',
      valueMask: 'optional',
      keyMask: 'optional',
      attentionMask: 'optional',
    },
    outputs: headsAttended,
    weights: ({ weights }) => presentWeights({ ...weights }),
  },
}

function axisOf(node: LayerNode, axis: number, shape: Shape): void {
  if (Number.isInteger(axis) && axis >= 0 && axis < shape.length) return
  throw new GruvError('bad-shape', `there is no axis ${axis}`, {
    where: node.name,
    got: showShape(shape),
  })
}

function reshaped(node: ReshapeNode, x: Shape): Shape {
  const open = node.shape.indexOf(-1)
  const given = node.shape.filter((_, axis) => axis !== open)
  if (given.some((extent) => typeof extent === 'number' && !(extent >= 0)))
    throw misfit(node, 'x', x, `what can be cut into ${showShape(node.shape)}`)
  const left = quotient(x, given)
  if (open < 0) {
    const empty = product(x) === 0 && product(node.shape) === 0
    // What symbols leave open is seen when the program runs.
    if (!empty && left !== 1 && typeof left !== 'string')
      throw misfit(node, 'x', x, `as many numbers as ${showShape(node.shape)}`)
    return node.shape
  }
  if (left === null) throw misfit(node, 'x', x, `what can be cut into ${showShape(node.shape)}`)
  return node.shape.with(open, left)
}

/** −1 keeps the axis as it is. */
function expanded(node: ExpandNode, x: Shape): Shape {
  const shape = node.shape.map((extent, i) => {
    if (extent !== -1) return extent
    const axis = i - node.shape.length + x.length
    if (axis < 0) throw misfit(node, 'x', x, `an axis to keep for ${showShape(node.shape)}`)
    return x[axis]
  })
  return broadcast(node, [x, shape])
}

/** The shape that all of these broadcast to, as NumPy does it: from the last axis, 1 fits anything. */
function broadcast(node: LayerNode, shapes: readonly Shape[]): Shape {
  const rank = Math.max(...shapes.map((shape) => shape.length))
  return Array.from({ length: rank }, (_, i): Dim => {
    const extents = shapes.map((shape) => shape[i - rank + shape.length] ?? 1)
    const wide = extents.filter((extent) => extent !== 1)
    return wide.reduce((a, b) => {
      const both = common(a, b)
      if (both !== null) return both
      throw new GruvError('bad-shape', 'these shapes do not go together', {
        where: node.name,
        expected: 'extents that are equal or 1, from the last axis on',
        got: shapes.map(showShape).join(' and '),
      })
    }, wide[0] ?? 1)
  })
}

/** The shape that both are, where symbols leave it open. */
function meets(node: LayerNode, port: string, got: Shape, expected: Shape): Shape {
  const both = got.map((extent, axis) => common(expected[axis] ?? -1, extent))
  if (got.length === expected.length && both.every((extent) => extent !== null)) return both
  throw misfit(node, port, got, showShape(expected))
}

function sliced(node: SliceNode, x: Shape): Shape {
  let y = x
  for (const slice of node.slices) {
    axisOf(node, slice.axis, x)
    if (!Number.isInteger(slice.step) || slice.step === 0) {
      throw new GruvError('bad-model', 'a slice goes on by a whole number that is not 0', {
        where: node.name,
        got: `a step of ${slice.step}`,
      })
    }
    y = y.with(slice.axis, sliceCount(y[slice.axis], slice))
  }
  return y
}

function reduced(node: ReduceNode, x: Shape): Shape {
  for (const axis of node.axes) axisOf(node, axis, x)
  return node.keepAxes
    ? x.map((extent, axis) => (node.axes.includes(axis) ? 1 : extent))
    : x.filter((_, axis) => !node.axes.includes(axis))
}

function matmul(node: MatmulNode, a: Shape, b: Shape): Shape {
  const left = a.length === 1 ? [1, ...a] : a
  const right = b.length === 1 ? [...b, 1] : b
  if (left.length < 2 || right.length < 2 || common(left.at(-1)!, right.at(-2)!) === null) {
    throw new GruvError('bad-shape', 'these matrices cannot be multiplied', {
      where: node.name,
      got: `${showShape(a)} and ${showShape(b)}`,
    })
  }
  const leading = broadcast(node, [left.slice(0, -2), right.slice(0, -2)])
  return [
    ...leading,
    ...(a.length === 1 ? [] : [left.at(-2)!]),
    ...(b.length === 1 ? [] : [right.at(-1)!]),
  ]
}

/** The axes between rows and channels. */
function spatial(node: LayerNode, x: Shape, count: number, features?: number): Shape {
  if (x.length === count + 2 && (features === undefined || common(x.at(-1)!, features) !== null))
    return x.slice(1, -1)
  throw misfit(node, 'x', x, `[rows, ${count} spatial axes, ${features ?? 'features'}]`)
}

function paddingOf(padding: Padding, axis: number): 'same' | { before: number; after: number } {
  return padding === 'same' ? 'same' : padding[axis]
}

/** @throws GruvError `bad-model` unless each list has a whole number from `least` up for each axis. */
function perAxis(
  node: ConvNode | ConvTransposeNode | PoolNode,
  count: number,
  lists: Named<readonly number[]>,
  least = 1,
): void {
  const paddings = node.padding === 'same' ? count : node.padding.length
  for (const [name, list] of Object.entries({ ...lists, padding: { length: paddings } })) {
    const whole =
      !Array.isArray(list) || list.every((each) => Number.isInteger(each) && each >= least)
    if (list.length === count && whole) continue
    throw new GruvError('bad-model', `the ${name} of this ${node.kind} layer cannot be right`, {
      where: node.name,
      expected: `${count} of them, one for each spatial axis, from ${least} up`,
      got: Array.isArray(list) ? showShape(list) : `${list.length}`,
    })
  }
}

/** @throws GruvError `bad-shape` naming the array, unless its shape fits; null fits anything. */
function weightFits(
  node: LayerNode,
  name: string,
  weight: Tensor | null,
  expected: readonly (number | null)[],
): void {
  const { shape } = weight ?? { shape: expected }
  if (
    shape.length === expected.length &&
    expected.every((extent, axis) => extent === null || shape[axis] === extent)
  )
    return
  throw new GruvError('bad-shape', 'the array does not fit its layer', {
    where: `${node.name}.${name}`,
    expected: showShape(expected.map((extent) => extent ?? 'any')),
    got: showShape(weight!.shape),
  })
}

/** @throws GruvError `bad-shape` where nothing would be left, not even an empty axis. */
function positive(node: LayerNode, x: Shape, y: Shape): Shape {
  if (y.every((extent) => typeof extent === 'string' || extent >= 0)) return y
  throw misfit(node, 'x', x, 'longer axes')
}

/** Groups divide features and units evenly. */
function groupsFit(node: ConvNode | ConvTransposeNode, channels: number): void {
  const { groups } = node
  if (Number.isInteger(groups) && groups > 0 && channels % groups === 0) return
  throw new GruvError('bad-model', 'the groups do not divide the channels', {
    where: node.name,
    got: `${groups} groups of ${channels} channels`,
  })
}

function convolved(node: ConvNode, x: Shape): Shape {
  const { kernel, bias } = node.weights
  const { shape } = kernel
  const count = Math.max(shape.length - 2, 0)
  weightFits(node, 'kernel', kernel, [...Array(count).fill(null), null, null])
  weightFits(node, 'bias', bias, [shape.at(-1)!])
  perAxis(node, count, { strides: node.strides, dilations: node.dilations })
  groupsFit(node, shape.at(-1)!)
  const axes = spatial(node, x, count, shape.at(-2)! * node.groups)
  return positive(node, x, [
    x[0],
    ...axes.map((extent, i) =>
      windows(extent, {
        size: shape[i],
        stride: node.strides[i],
        dilation: node.dilations[i],
        padding: paddingOf(node.padding, i),
      }),
    ),
    shape.at(-1)!,
  ])
}

function unconvolved(node: ConvTransposeNode, x: Shape): Shape {
  const { kernel, bias } = node.weights
  const { shape } = kernel
  const count = Math.max(shape.length - 2, 0)
  weightFits(node, 'kernel', kernel, [...Array(count).fill(null), null, null])
  weightFits(node, 'bias', bias, [shape.at(-2)! * node.groups])
  perAxis(node, count, { strides: node.strides, dilations: node.dilations })
  perAxis(node, count, { outputPadding: node.outputPadding }, 0)
  groupsFit(node, shape.at(-1)!)
  const axes = spatial(node, x, count, shape.at(-1)!)
  return positive(node, x, [
    x[0],
    ...axes.map((extent, i): Dim => {
      const padding = paddingOf(node.padding, i)
      const [stride, extra] = [node.strides[i], node.outputPadding[i]]
      if (padding === 'same') return plus(times(extent, stride), extra)
      const reach = (shape[i] - 1) * node.dilations[i] + 1
      return plus(times(extent, stride), reach - stride - padding.before - padding.after + extra)
    }),
    shape.at(-2)! * node.groups,
  ])
}

function pooled(node: PoolNode, x: Shape): Shape {
  perAxis(node, node.sizes.length, { sizes: node.sizes, strides: node.strides })
  const axes = spatial(node, x, node.sizes.length)
  return positive(node, x, [
    x[0],
    ...axes.map((extent, i) =>
      windows(extent, {
        size: node.sizes[i],
        stride: node.strides[i],
        dilation: 1,
        padding: paddingOf(node.padding, i),
      }),
    ),
    x.at(-1)!,
  ])
}

/** Rows, queries and keys of an attention, from all ports together. */
function attentionAxes(
  node: AttentionNode | MultiHeadAttentionNode,
  inputs: Named<Shape>,
): { readonly rows: Dim; readonly queries: Dim; readonly keys: Dim } {
  const { query, value, key = value } = inputs
  for (const [port, shape] of Object.entries({ query, value, key })) {
    if (shape.length !== 3) throw misfit(node, port, shape, '[rows, steps, features]')
  }
  const [rows, keys] = meets(node, 'value', value, [query[0], key[1], value[2]])
  meets(node, 'key', key, [rows, keys, key[2]])
  const axes = { rows, queries: query[1], keys }
  const masks = {
    queryMask: [rows, axes.queries],
    valueMask: [rows, keys],
    keyMask: [rows, keys],
    attentionMask: [rows, axes.queries, keys],
  }
  for (const [port, shape] of Object.entries(masks)) {
    const mask = inputs[port]
    // One for all is as good as one for each.
    if (mask !== undefined)
      meets(
        node,
        port,
        mask,
        shape.map((extent, axis) => (mask[axis] === 1 ? 1 : extent)),
      )
  }
  return axes
}

function attended(node: AttentionNode, inputs: Named<Shape>): Named<Shape> {
  const { rows, queries, keys } = attentionAxes(node, inputs)
  const { query, value, key = value } = inputs
  const features = meets(node, 'key', key, [rows, keys, query[2]])[2]
  const { scale, concatWeight } = node.weights
  // Inside a concatenating score the scale is one number.
  const perFeature = node.score === 'additive' && concatWeight === null
  weightFits(
    node,
    'scale',
    scale,
    perFeature ? [typeof features === 'number' ? features : null] : [],
  )
  weightFits(node, 'concatWeight', concatWeight, [])
  return { y: [rows, queries, value[2]], scores: [rows, queries, keys] }
}

function headsAttended(node: MultiHeadAttentionNode, inputs: Named<Shape>): Named<Shape> {
  const { rows, queries, keys } = attentionAxes(node, inputs)
  const { query, value, key = value } = inputs
  const { heads, keySize, valueSize, weights } = node
  weightFits(node, 'queryKernel', weights.queryKernel, [null, heads, keySize])
  weightFits(node, 'keyKernel', weights.keyKernel, [null, heads, keySize])
  weightFits(node, 'valueKernel', weights.valueKernel, [null, heads, valueSize])
  weightFits(node, 'outputKernel', weights.outputKernel, [heads, valueSize, null])
  const units = weights.outputKernel.shape[2]
  weightFits(node, 'queryBias', weights.queryBias, [heads, keySize])
  weightFits(node, 'keyBias', weights.keyBias, [heads, keySize])
  weightFits(node, 'valueBias', weights.valueBias, [heads, valueSize])
  weightFits(node, 'outputBias', weights.outputBias, [units])
  meets(node, 'query', query, [rows, queries, weights.queryKernel.shape[0]])
  meets(node, 'key', key, [rows, keys, weights.keyKernel.shape[0]])
  meets(node, 'value', value, [rows, keys, weights.valueKernel.shape[0]])
  return { y: [rows, queries, units], scores: [rows, heads, queries, keys] }
}
