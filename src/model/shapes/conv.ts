/** Shapes of convolutions, their transposes, and pooling. */

import { GruvError } from '../../errors.ts'
import { type Named, showShape } from '../../tensor.ts'
import type { ConvNode, ConvTransposeNode, Dim, LayerNode, Padding, PoolNode } from '../types.ts'
import { positive, weightFits } from './checks.ts'
import { common, plus, times, windows } from './dims.ts'
import { misfit, type Shape } from './shape.ts'

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

/** Groups divide features and units evenly. */
function groupsFit(node: ConvNode | ConvTransposeNode, channels: number): void {
  const { groups } = node
  if (Number.isInteger(groups) && groups > 0 && channels % groups === 0) return
  throw new GruvError('bad-model', 'the groups do not divide the channels', {
    where: node.name,
    got: `${groups} groups of ${channels} channels`,
  })
}

/** Checks the arrays and lists of a layer of so many units; the number of its spatial axes. */
function kernelAxes(node: ConvNode | ConvTransposeNode, units: number): number {
  const { kernel, bias } = node.weights
  const count = Math.max(kernel.shape.length - 2, 0)
  weightFits(node, 'kernel', kernel, [...Array(count).fill(null), null, null])
  weightFits(node, 'bias', bias, [units])
  perAxis(node, count, { strides: node.strides, dilations: node.dilations })
  return count
}

/** How many windows of these sizes fit along each of the axes. */
function windowed(
  { strides, padding }: ConvNode | PoolNode,
  axes: Shape,
  sizes: readonly number[],
  dilations?: readonly number[],
): Shape {
  return axes.map((extent, i) =>
    windows(extent, {
      size: sizes[i],
      stride: strides[i],
      dilation: dilations?.[i] ?? 1,
      padding: paddingOf(padding, i),
    }),
  )
}

export function convolved(node: ConvNode, x: Shape): Shape {
  const { shape } = node.weights.kernel
  const [features, units] = shape.slice(-2)
  const count = kernelAxes(node, units)
  groupsFit(node, units)
  const axes = spatial(node, x, count, features * node.groups)
  return positive(node, x, [x[0], ...windowed(node, axes, shape, node.dilations), units])
}

export function unconvolved(node: ConvTransposeNode, x: Shape): Shape {
  const { shape } = node.weights.kernel
  const [groupUnits, features] = shape.slice(-2)
  const units = groupUnits * node.groups
  const count = kernelAxes(node, units)
  perAxis(node, count, { outputPadding: node.outputPadding }, 0)
  groupsFit(node, features)
  const axes = spatial(node, x, count, features)
  return positive(node, x, [
    x[0],
    ...axes.map((extent, i): Dim => {
      const padding = paddingOf(node.padding, i)
      const [stride, extra] = [node.strides[i], node.outputPadding[i]]
      if (padding === 'same') return plus(times(extent, stride), extra)
      const reach = (shape[i] - 1) * node.dilations[i] + 1
      return plus(times(extent, stride), reach - stride - padding.before - padding.after + extra)
    }),
    units,
  ])
}

export function pooled(node: PoolNode, x: Shape): Shape {
  perAxis(node, node.sizes.length, { sizes: node.sizes, strides: node.strides })
  const axes = spatial(node, x, node.sizes.length)
  return positive(node, x, [x[0], ...windowed(node, axes, node.sizes), x.at(-1)!])
}
