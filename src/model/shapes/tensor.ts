/** Shapes of the layers on whole tensors. */

import { GruvError } from '../../errors.ts'
import { type Named, showShape } from '../../tensor.ts'
import { plus, product, quotient, sliceRange, sum, windows } from '../dims.ts'
import type {
  AttentionNode,
  ConvNode,
  ConvTransposeNode,
  Dim,
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
import { fits, type LayerShapes, misfit, presentWeights, type Shape } from './shape.ts'

const x = { x: 'required' } as const
const ab = { a: 'required', b: 'required' } as const

export const tensorShapes: LayerShapes<TensorNode['kind']> = {
  reverse: { inputs: x, outputs: (_, { x }) => ({ y: x }) },
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
  expand: { inputs: x, outputs: (node, { x }) => ({ y: broadcast(node, [x, node.shape]) }) },
  slice: { inputs: x, outputs: (node, { x }) => ({ y: sliced(node, x) }) },
  concat: {
    inputs: null,
    outputs: (node, inputs) => {
      const shapes = Object.entries(inputs)
      const [, first] = shapes[0] ?? ['', []]
      axisOf(node, node.axis, first)
      for (const [port, shape] of shapes) {
        fits(node, port, shape, first.with(node.axis, shape[node.axis] ?? 0))
      }
      return { y: first.with(node.axis, sum(shapes.map(([, shape]) => shape[node.axis]))) }
    },
  },
  pad: {
    inputs: x,
    outputs: (node, { x }) => {
      if (node.pads.length !== x.length) throw misfit(node, 'x', x, `${node.pads.length} axes`)
      return { y: x.map((extent, i) => plus(extent, node.pads[i].before + node.pads[i].after)) }
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
  const given = node.shape.filter((extent) => extent !== -1)
  const left = quotient(x, given)
  if (open < 0) {
    if (left !== 1 && product(x) !== product(node.shape))
      throw misfit(node, 'x', x, `as many numbers as ${showShape(node.shape)}`)
    return node.shape
  }
  if (left === null || node.shape.indexOf(-1, open + 1) >= 0)
    throw misfit(node, 'x', x, `what can be cut into ${showShape(node.shape)}`)
  return node.shape.with(open, left)
}

/** The shape that all of these broadcast to, as NumPy does it: from the last axis, 1 fits anything. */
function broadcast(node: LayerNode, shapes: readonly Shape[]): Shape {
  const rank = Math.max(...shapes.map((shape) => shape.length))
  return Array.from({ length: rank }, (_, i): Dim => {
    const extents = shapes.map((shape) => shape[i - rank + shape.length] ?? 1)
    const wide = extents.filter((extent) => extent !== 1)
    if (wide.some((extent) => extent !== wide[0])) {
      throw new GruvError('bad-shape', 'these shapes do not go together', {
        where: node.name,
        got: shapes.map(showShape).join(' and '),
      })
    }
    return wide[0] ?? 1
  })
}

function sliced(node: SliceNode, x: Shape): Shape {
  let y = x
  for (const slice of node.slices) {
    axisOf(node, slice.axis, x)
    const extent = y[slice.axis]
    const whole = slice.step === 1 && (slice.start ?? 0) === 0 && slice.end === null
    const { start, end, step } = slice
    const written = `${start ?? ''}:${end ?? ''}${step === 1 ? '' : `:${step}`}`
    const cut: Dim =
      typeof extent === 'number'
        ? sliceRange(extent, slice).count
        : whole || (step === -1 && start === null && end === null)
          ? extent
          : end === null && step === 1 && start! < 0
            ? -start!
            : start === -1 && step === 1 && end === null
              ? 1
              : `${extent}[${written}]`
    y = y.with(slice.axis, cut)
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
  if (left.length < 2 || right.length < 2 || left.at(-1) !== right.at(-2)) {
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
  if (x.length === count + 2 && (features === undefined || x.at(-1) === features))
    return x.slice(1, -1)
  throw misfit(node, 'x', x, `[rows, ${count} spatial axes, ${features ?? 'features'}]`)
}

function paddingOf(padding: Padding, axis: number): 'same' | { before: number; after: number } {
  return padding === 'same' ? 'same' : padding[axis]
}

function convolved(node: ConvNode, x: Shape): Shape {
  const { shape } = node.weights.kernel
  const axes = spatial(node, x, shape.length - 2, shape.at(-2)! * node.groups)
  return [
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
  ]
}

function unconvolved(node: ConvTransposeNode, x: Shape): Shape {
  const { shape } = node.weights.kernel
  const axes = spatial(node, x, shape.length - 2, shape.at(-1)!)
  return [
    x[0],
    ...axes.map((extent, i): Dim => {
      const padding = paddingOf(node.padding, i)
      const [stride, extra] = [node.strides[i], node.outputPadding[i]]
      const scaled = (by: number): Dim =>
        typeof extent === 'number' ? extent * by : by === 1 ? extent : `${by}·${extent}`
      if (padding === 'same') return plus(scaled(stride), extra)
      const reach = (shape[i] - 1) * node.dilations[i] + 1
      return plus(scaled(stride), reach - stride - padding.before - padding.after + extra)
    }),
    shape.at(-2)! * node.groups,
  ]
}

function pooled(node: PoolNode, x: Shape): Shape {
  const axes = spatial(node, x, node.sizes.length)
  return [
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
  ]
}

function attended(node: AttentionNode, inputs: Named<Shape>): Named<Shape> {
  const { query, value, key = value } = inputs
  for (const [port, shape] of Object.entries({ query, value, key })) {
    if (shape.length !== 3) throw misfit(node, port, shape, '[rows, steps, features]')
  }
  fits(node, 'key', key, [query[0], key[1], query[2]])
  fits(node, 'value', value, [query[0], key[1], value[2]])
  return {
    y: [query[0], query[1], value[2]],
    scores: [query[0], query[1], key[1]],
  }
}

function headsAttended(node: MultiHeadAttentionNode, inputs: Named<Shape>): Named<Shape> {
  const { query, value, key = value } = inputs
  const { queryKernel, keyKernel, valueKernel, outputKernel } = node.weights
  fits(node, 'query', query, [query[0], query[1], queryKernel.shape[0]])
  fits(node, 'key', key, [query[0], key[1], keyKernel.shape[0]])
  fits(node, 'value', value, [query[0], key[1], valueKernel.shape[0]])
  return {
    y: [query[0], query[1], outputKernel.shape[2]],
    scores: [query[0], node.heads, query[1], key[1]],
  }
}
