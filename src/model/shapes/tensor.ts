/** Shapes of the layers on whole tensors. */

import { GruvError } from '../../errors.ts'
import { showShape } from '../../tensor.ts'
import type {
  Dim,
  ExpandNode,
  LayerNode,
  MatmulNode,
  ReduceNode,
  ReshapeNode,
  SliceNode,
  TensorNode,
} from '../types.ts'
import { attended, headsAttended } from './attention.ts'
import { axisOf, meets, positive } from './checks.ts'
import { convolved, pooled, unconvolved } from './conv.ts'
import { common, plus, product, quotient, sliceCount, sum } from './dims.ts'
import { type LayerShapes, misfit, type Shape } from './shape.ts'

const x = { x: 'required' } as const
const attentionPorts = {
  query: 'required',
  value: 'required',
  key: 'optional',
  queryMask: 'optional',
  valueMask: 'optional',
} as const
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
  constant: { inputs: {}, outputs: (node) => ({ y: node.weights.value.shape }) },
  range: { inputs: {}, outputs: ({ count }) => ({ y: [count] }) },
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
  conv: { inputs: x, outputs: (node, { x }) => ({ y: convolved(node, x) }) },
  convTranspose: { inputs: x, outputs: (node, { x }) => ({ y: unconvolved(node, x) }) },
  pool: { inputs: x, outputs: (node, { x }) => ({ y: pooled(node, x) }) },
  attention: { inputs: attentionPorts, outputs: attended },
  multiHeadAttention: {
    inputs: { ...attentionPorts, keyMask: 'optional', attentionMask: 'optional' },
    outputs: headsAttended,
  },
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
  const rank = shapes.reduce((most, { length }) => Math.max(most, length), 0)
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
