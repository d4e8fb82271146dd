/** Convolutions, their transposes, and pooling, over any number of spatial axes, channels last. */

import { type Activation, isElementwise } from '../../model/activation/activations.ts'
import type { ConvNode, ConvTransposeNode, PoolNode } from '../../model/types.ts'
import { type Named, sizeOf, type Tensor } from '../../tensor.ts'
import { ops64 } from '../js/ops64.ts'
import { addProduct } from './matmul.ts'
import { type Block, zeros } from './strides.ts'
import { forEachWindow, windowsOf } from './windows.ts'

type Shape = readonly number[]

/** y[o, u] = φ(b[u] + Σ over taps t and features c of the unit's group: x[o·stride + t·dilation − before, c]·K[t, c, u]) */
export function conv(node: ConvNode, { x }: Named<Block>, shape: Shape): Float64Array {
  const { groups, strides, dilations } = node
  const kernel = Float64Array.from(node.weights.kernel.data)
  const sizes = node.weights.kernel.shape.slice(0, -2)
  const [features, units] = [x.shape.at(-1)!, shape.at(-1)!]
  const [groupFeatures, groupUnits] = [features / groups, units / groups]
  const [long, short] = [x.shape.slice(1, -1), shape.slice(1, -1)]
  const geometry = windowsOf({ long, short, sizes, strides, dilations }, node.padding)
  const y = biased(node.name, shape, node.weights.bias)
  const [rowX, rowY] = [sizeOf(long) * features, sizeOf(short) * units]
  forEachWindow(geometry, (window, taps, places, count) => {
    for (let row = 0; row < shape[0]; row++) {
      const out = row * rowY + window * units
      for (let i = 0; i < count; i++) {
        const from = row * rowX + places[i] * features
        const tap = taps[i] * groupFeatures * units
        for (let g = 0; g < groups; g++) {
          const atX = from + g * groupFeatures
          const first = g * groupUnits
          addProduct(
            x.data,
            atX,
            kernel,
            tap + first,
            1,
            groupFeatures,
            groupUnits,
            y,
            out + first,
            units,
          )
        }
      }
    }
  })
  return activated(y, units, node.activation)
}

/** y[i·stride + t·dilation − before, u] += Σ over features c of the unit's group: x[i, c]·K[t, u, c]; then bias and φ. */
export function convTranspose(
  node: ConvTransposeNode,
  { x }: Named<Block>,
  shape: Shape,
): Float64Array {
  const { groups, strides, dilations } = node
  const kernel = Float64Array.from(node.weights.kernel.data)
  const sizes = node.weights.kernel.shape.slice(0, -2)
  const [features, units] = [x.shape.at(-1)!, shape.at(-1)!]
  const [groupFeatures, groupUnits] = [features / groups, units / groups]
  const [long, short] = [shape.slice(1, -1), x.shape.slice(1, -1)]
  // The padding of the convolution that would lead back; what is added at the end is no part of it.
  const extents = short.map((extent, axis) => extent * strides[axis])
  const geometry = windowsOf({ long, short, sizes, strides, dilations }, node.padding, extents)
  const y = biased(node.name, shape, node.weights.bias)
  const [rowX, rowY] = [sizeOf(short) * features, sizeOf(long) * units]
  forEachWindow(geometry, (window, taps, places, count) => {
    for (let row = 0; row < shape[0]; row++) {
      const from = row * rowX + window * features
      for (let i = 0; i < count; i++) {
        const out = row * rowY + places[i] * units
        const tap = taps[i] * groupUnits * features
        for (let u = 0; u < units; u++) {
          const g = Math.floor(u / groupUnits)
          const first = g * groupFeatures
          const w = tap + (u - g * groupUnits) * features + first
          let sum = 0
          for (let c = 0; c < groupFeatures; c++) sum += x.data[from + first + c] * kernel[w + c]
          y[out + u] += sum
        }
      }
    }
  })
  return activated(y, units, node.activation)
}

/** The largest number of a window, or the mean; what lies outside never is the largest. */
export function pool(node: PoolNode, { x }: Named<Block>, shape: Shape): Float64Array {
  const { sizes, strides } = node
  const features = shape.at(-1)!
  const [long, short] = [x.shape.slice(1, -1), shape.slice(1, -1)]
  const dilations = sizes.map(() => 1)
  const geometry = windowsOf({ long, short, sizes, strides, dilations }, node.padding)
  const max = node.op === 'max'
  const all = sizeOf(sizes)
  const y = zeros(node.name, shape)
  if (max) y.fill(-Infinity)
  const [rowX, rowY] = [sizeOf(long) * features, sizeOf(short) * features]
  forEachWindow(geometry, (window, _, places, count) => {
    const divisor = node.countsPadding ? all : count
    for (let row = 0; row < shape[0]; row++) {
      const out = row * rowY + window * features
      for (let i = 0; i < count; i++) {
        const from = row * rowX + places[i] * features
        if (max) {
          for (let c = 0; c < features; c++) y[out + c] = Math.max(y[out + c], x.data[from + c])
        } else for (let c = 0; c < features; c++) y[out + c] += x.data[from + c]
      }
      if (!max) for (let c = 0; c < features; c++) y[out + c] /= divisor
    }
  })
  return y
}

/** The bias at every position, or zeros. */
function biased(where: string, shape: Shape, bias: Tensor | null): Float64Array {
  const y = zeros(where, shape)
  if (bias !== null) {
    const units = bias.data.length
    for (let at = 0; at < y.length; at += units) y.set(bias.data, at)
  }
  return y
}

function activated(y: Float64Array, units: number, activation: Activation): Float64Array {
  if (isElementwise(activation)) ops64.activate(y, 0, y.length, activation)
  else for (let at = 0; at < y.length; at += units) ops64.softmax(y, at, units)
  return y
}
