/** Layers that move numbers and compute none. */

import { GruvError } from '../../errors.ts'
import { sliceRange } from '../../model/shapes/dims.ts'
import type {
  ConcatNode,
  ConstantNode,
  ExpandNode,
  GatherNode,
  PadNode,
  RangeNode,
  ReshapeNode,
  ReverseNode,
  SliceNode,
  TransposeNode,
} from '../../model/types.ts'
import { type Named, showShape, sizeOf } from '../../tensor.ts'
import { type Block, broadcastStrides, readStrided, stridesOf, zeros } from './strides.ts'

type Data = Float64Array
type Shape = readonly number[]

export function reverse(node: ReverseNode, { x }: Named<Block>): Data {
  return slices(node.name, x, [{ axis: 1, start: null, end: null, step: -1 }]).data
}

export function reshape(node: ReshapeNode, { x }: Named<Block>, shape: Shape): Data {
  if (sizeOf(shape) === x.data.length) return x.data.slice()
  throw new GruvError('bad-shape', 'the numbers do not fill the shape', {
    where: node.name,
    expected: `${sizeOf(shape)} numbers for ${showShape(shape)}`,
    got: showShape(x.shape),
  })
}

export function transpose(node: TransposeNode, { x }: Named<Block>, shape: Shape): Data {
  const strides = stridesOf(x.shape)
  const order = node.axes.map((axis) => strides[axis])
  return readStrided(x.data, 0, shape, order, zeros(node.name, shape))
}

export function expand(node: ExpandNode, { x }: Named<Block>, shape: Shape): Data {
  return readStrided(x.data, 0, shape, broadcastStrides(x.shape, shape), zeros(node.name, shape))
}

export function slice(node: SliceNode, { x }: Named<Block>): Data {
  return slices(node.name, x, node.slices).data
}

/** One after the other, though the numbers are only moved once. */
function slices(where: string, x: Block, cuts: SliceNode['slices']): Block {
  const shape = [...x.shape]
  const strides = stridesOf(shape)
  let offset = 0
  for (const cut of cuts) {
    const { first, count } = sliceRange(shape[cut.axis], cut)
    offset += first * strides[cut.axis]
    shape[cut.axis] = count
    strides[cut.axis] *= cut.step
  }
  return { shape, data: readStrided(x.data, offset, shape, strides, zeros(where, shape)) }
}

export function concat(node: ConcatNode, inputs: Named<Block>, shape: Shape): Data {
  const y = zeros(node.name, shape)
  const outer = sizeOf(shape.slice(0, node.axis))
  const step = sizeOf(shape.slice(node.axis))
  let offset = 0
  for (const part of Object.values(inputs)) {
    const width = sizeOf(part.shape.slice(node.axis))
    for (let i = 0; i < outer; i++)
      y.set(part.data.subarray(i * width, (i + 1) * width), i * step + offset)
    offset += width
  }
  return y
}

/** One axis after the other; what negative numbers cut off is gone before anything is repeated. */
export function pad(node: PadNode, { x }: Named<Block>, shape: Shape): Data {
  // First of all, because an axis that cannot be had must not be listed.
  zeros(node.name, shape)
  let y = x
  node.pads.forEach(({ before, after }, axis) => {
    if (before !== 0 || after !== 0)
      y = take(node.name, y, axis, padded(node, x.shape, axis), node.value)
  })
  return y === x ? x.data.slice() : y.data
}

/** Which element of the axis stands at each place; −1 for the value. */
function padded(node: PadNode, shape: Shape, axis: number): Int32Array {
  const { before, after } = node.pads[axis]
  const first = Math.max(-before, 0)
  const count = shape[axis] - first - Math.max(-after, 0)
  const indices = new Int32Array(shape[axis] + before + after)
  if (count <= 0 && node.mode !== 'constant' && indices.length > 0) {
    throw new GruvError('bad-shape', 'there is nothing that could be repeated', {
      where: node.name,
      got: `${showShape(shape)}, axis ${axis}`,
    })
  }
  const period = Math.max(2 * (count - 1), 1)
  for (let i = 0; i < indices.length; i++) {
    const at = i - Math.max(before, 0)
    if (at >= 0 && at < count) indices[i] = first + at
    else if (node.mode === 'constant') indices[i] = -1
    else if (node.mode === 'edge') indices[i] = first + (at < 0 ? 0 : count - 1)
    else {
      // Back and forth, without the ends twice.
      const phase = ((at % period) + period) % period
      indices[i] = first + (phase < count ? phase : period - phase)
    }
  }
  return indices
}

export function gather(node: GatherNode, { x, indices }: Named<Block>, shape: Shape): Data {
  zeros(node.name, shape)
  const extent = x.shape[node.axis]
  const places = Int32Array.from(indices.data, (index) => {
    if (Number.isInteger(index) && index >= -extent && index < extent)
      return index < 0 ? index + extent : index
    throw new GruvError('bad-argument', 'there is no row of that number', {
      where: `${node.name}, port indices`,
      expected: `whole numbers from ${-extent} to ${extent - 1}`,
      got: `${index}`,
    })
  })
  return take(node.name, x, node.axis, places, 0).data
}

/** These elements of an axis; `value` where the index is −1. */
function take(where: string, x: Block, axis: number, indices: Int32Array, value: number): Block {
  const shape = x.shape.with(axis, indices.length)
  const data = zeros(where, shape)
  const width = sizeOf(x.shape.slice(axis + 1))
  const block = width * x.shape[axis]
  const outer = sizeOf(x.shape.slice(0, axis))
  let at = 0
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < indices.length; i++, at += width) {
      const from = o * block + indices[i] * width
      if (indices[i] < 0) data.fill(value, at, at + width)
      else for (let k = 0; k < width; k++) data[at + k] = x.data[from + k]
    }
  }
  return { shape, data }
}

export function constant(node: ConstantNode): Data {
  return Float64Array.from(node.weights.value.data)
}

export function range(node: RangeNode, _: Named<Block>, shape: Shape): Data {
  return zeros(node.name, shape).map((_, i) => i)
}
