/** The chain rule through convolutions, transposed convolutions and pooling, over any axes. */

import { activation } from '../../model/activation/activations.ts'
import type { Conv1dNode, ConvNode, ConvTransposeNode, PoolNode } from '../../model/types.ts'
import { tensorOf, vectorsOf } from '../../runtime/reference/vectors.ts'
import { forEachWindow, windowsOf } from '../../runtime/tensor/windows.ts'
import { type Named, sizeOf, type Tensor } from '../../tensor.ts'
import { forward } from './forward.ts'
import { pullActivated, pullActivation } from './vectors.ts'

const linear = activation('linear')

/** To be read beside `conv1dLayer` in `runtime/reference/layers.ts`. */
export function pullConv1d(node: Conv1dNode, { x }: Named<Tensor>, bar: Tensor): Named<Tensor> {
  const { y } = forward({ ...node, activation: linear }, { x })
  const sums = vectorsOf(y, node.units)
  const bars = vectorsOf(bar, node.units).map((b, i) => pullActivation(node.activation, sums[i], b))
  const { stride, dilation, padding } = node
  const windows = {
    ...node,
    strides: [stride],
    dilations: [dilation],
    padding: padding === 'same' ? padding : [padding],
  }
  return pullWindows(windows, x, tensorOf(bar.shape, bars), false)
}

/** To be read beside `conv` in `runtime/tensor/conv.ts`. */
export function pullConv(node: ConvNode, { x }: Named<Tensor>, bar: Tensor): Named<Tensor> {
  const { y: sums } = forward({ ...node, activation: linear }, { x })
  return pullWindows(node, x, pullActivated(node.activation, sums, bar), false)
}

/** To be read beside `convTranspose` in `runtime/tensor/conv.ts`. */
export function pullConvTranspose(
  node: ConvTransposeNode,
  { x }: Named<Tensor>,
  bar: Tensor,
): Named<Tensor> {
  const { y: sums } = forward({ ...node, activation: linear }, { x })
  return pullWindows(node, x, pullActivated(node.activation, sums, bar), true)
}

interface Kernel extends Pick<ConvNode, 'groups' | 'strides' | 'dilations' | 'padding'> {
  readonly weights: { readonly kernel: Tensor }
}

/** From the sums of every window back to x; of a transposed convolution, x has a number a window. */
function pullWindows(
  { groups, strides, dilations, padding, weights }: Kernel,
  x: Tensor,
  bars: Tensor,
  transposed: boolean,
): Named<Tensor> {
  const kernel = weights.kernel.data
  const sizes = weights.kernel.shape.slice(0, -2)
  const [features, units] = [x.shape.at(-1)!, bars.shape.at(-1)!]
  const [groupFeatures, groupUnits] = [features / groups, units / groups]
  const [ofX, ofY] = [x, bars].map(({ shape }) => shape.slice(1, -1))
  const [long, short] = transposed ? [ofY, ofX] : [ofX, ofY]
  const extents = transposed ? short.map((extent, axis) => extent * strides[axis]) : long
  const geometry = windowsOf({ long, short, sizes, strides, dilations }, padding, extents)
  const [rowX, rowY] = [sizeOf(ofX) * features, sizeOf(ofY) * units]
  const data = new Float64Array(x.data.length)
  forEachWindow(geometry, (window, taps, places, count) => {
    for (let row = 0; row < x.shape[0]; row++) {
      for (let i = 0; i < count; i++) {
        const [atX, atY] = transposed ? [window, places[i]] : [places[i], window]
        const from = row * rowX + atX * features
        const out = row * rowY + atY * units
        for (let u = 0; u < units; u++) {
          const group = Math.floor(u / groupUnits)
          const first = group * groupFeatures
          // The weight of the group's first feature, and how far it is to that of the next.
          const [w, step] = transposed
            ? [(taps[i] * groupUnits + (u - group * groupUnits)) * features + first, 1]
            : [taps[i] * groupFeatures * units + u, units]
          for (let c = 0; c < groupFeatures; c++)
            data[from + first + c] += kernel[w + c * step] * bars.data[out + u]
        }
      }
    }
  })
  return { x: { shape: x.shape, data } }
}

/** In a tie for the largest number of a window, the first is chosen. */
export function pullPool(node: PoolNode, { x }: Named<Tensor>, bar: Tensor): Named<Tensor> {
  const { sizes, strides, op, countsPadding } = node
  const features = x.shape.at(-1)!
  const [long, short] = [x.shape.slice(1, -1), bar.shape.slice(1, -1)]
  const dilations = sizes.map(() => 1)
  const geometry = windowsOf({ long, short, sizes, strides, dilations }, node.padding)
  const [rowX, rowY] = [sizeOf(long) * features, sizeOf(short) * features]
  const data = new Float64Array(x.data.length)
  const all = sizeOf(sizes)
  forEachWindow(geometry, (window, _, places, count) => {
    for (let row = 0; row < x.shape[0]; row++) {
      for (let c = 0; c < features; c++) {
        const b = bar.data[row * rowY + window * features + c]
        const at = (i: number): number => row * rowX + places[i] * features + c
        if (op === 'average') {
          const share = b / (countsPadding ? all : count)
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
