/** The chain rule through convolutions, their transposes, and pooling, over any number of axes. */

import { activation } from '../../model/activations.ts'
import type { ConvNode, ConvTransposeNode, Dim, PoolNode } from '../../model/types.ts'
import { runTensorLayer } from '../../runtime/tensor/index.ts'
import { forEachWindow, windowsOf } from '../../runtime/tensor/windows.ts'
import { type Named, sizeOf, type Tensor } from '../../tensor.ts'
import { pullActivated } from './vectors.ts'

const context = { extent: (dim: Dim): number => Number(dim) }
const linear = activation('linear')

/** Read it beside `conv` in `runtime/tensor/conv.ts`. */
export function pullConv(node: ConvNode, { x }: Named<Tensor>, bar: Tensor): Named<Tensor> {
  const { groups, strides, dilations, weights } = node
  const { y: sums } = runTensorLayer({ ...node, activation: linear }, { x }, context)
  const bars = pullActivated(node.activation, sums, bar).data
  const kernel = weights.kernel.data
  const sizes = weights.kernel.shape.slice(0, -2)
  const [features, units] = [x.shape.at(-1)!, bar.shape.at(-1)!]
  const [groupFeatures, groupUnits] = [features / groups, units / groups]
  const [long, short] = [x.shape.slice(1, -1), bar.shape.slice(1, -1)]
  const geometry = windowsOf({ long, short, sizes, strides, dilations }, node.padding)
  const [rowX, rowY] = [sizeOf(long) * features, sizeOf(short) * units]
  const data = new Float64Array(x.data.length)
  forEachWindow(geometry, (window, taps, places, count) => {
    for (let row = 0; row < x.shape[0]; row++) {
      const out = row * rowY + window * units
      for (let i = 0; i < count; i++) {
        const from = row * rowX + places[i] * features
        for (let u = 0; u < units; u++) {
          const first = Math.floor(u / groupUnits) * groupFeatures
          for (let c = 0; c < groupFeatures; c++)
            data[from + first + c] +=
              kernel[(taps[i] * groupFeatures + c) * units + u] * bars[out + u]
        }
      }
    }
  })
  return { x: { shape: x.shape, data } }
}

/** Read it beside `convTranspose` in `runtime/tensor/conv.ts`. */
export function pullConvTranspose(
  node: ConvTransposeNode,
  { x }: Named<Tensor>,
  bar: Tensor,
): Named<Tensor> {
  const { groups, strides, dilations, weights } = node
  const { y: sums } = runTensorLayer({ ...node, activation: linear }, { x }, context)
  const bars = pullActivated(node.activation, sums, bar).data
  const kernel = weights.kernel.data
  const sizes = weights.kernel.shape.slice(0, -2)
  const [features, units] = [x.shape.at(-1)!, bar.shape.at(-1)!]
  const [groupFeatures, groupUnits] = [features / groups, units / groups]
  const [long, short] = [bar.shape.slice(1, -1), x.shape.slice(1, -1)]
  const extents = short.map((extent, axis) => extent * strides[axis])
  const geometry = windowsOf({ long, short, sizes, strides, dilations }, node.padding, extents)
  const [rowX, rowY] = [sizeOf(short) * features, sizeOf(long) * units]
  const data = new Float64Array(x.data.length)
  forEachWindow(geometry, (window, taps, places, count) => {
    for (let row = 0; row < x.shape[0]; row++) {
      const from = row * rowX + window * features
      for (let i = 0; i < count; i++) {
        const out = row * rowY + places[i] * units
        for (let u = 0; u < units; u++) {
          const group = Math.floor(u / groupUnits)
          const first = group * groupFeatures
          const w = (taps[i] * groupUnits + (u - group * groupUnits)) * features + first
          for (let c = 0; c < groupFeatures; c++)
            data[from + first + c] += kernel[w + c] * bars[out + u]
        }
      }
    }
  })
  return { x: { shape: x.shape, data } }
}

/** Where several numbers of a window are the largest, the first counts. */
export function pullPool(node: PoolNode, { x }: Named<Tensor>, bar: Tensor): Named<Tensor> {
  const { sizes, strides, op, countsPadding } = node
  const features = x.shape.at(-1)!
  const [long, short] = [x.shape.slice(1, -1), bar.shape.slice(1, -1)]
  const dilations = sizes.map(() => 1)
  const geometry = windowsOf({ long, short, sizes, strides, dilations }, node.padding)
  const [rowX, rowY] = [sizeOf(long) * features, sizeOf(short) * features]
  const data = new Float64Array(x.data.length)
  forEachWindow(geometry, (window, taps, places, count) => {
    for (let row = 0; row < x.shape[0]; row++) {
      for (let c = 0; c < features; c++) {
        const b = bar.data[row * rowY + window * features + c]
        const at = (i: number): number => row * rowX + places[i] * features + c
        if (op === 'average') {
          const share = b / (countsPadding ? taps.length : count)
          for (let i = 0; i < count; i++) data[at(i)] += share
          continue
        }
        let best = 0
        for (let i = 1; i < count; i++) if (x.data[at(i)] > x.data[at(best)]) best = i
        if (count > 0) data[at(best)] += b
      }
    }
  })
  return { x: { shape: x.shape, data } }
}
