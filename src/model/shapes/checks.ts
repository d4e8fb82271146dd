/** Checks of axes, shapes and arrays that several tables of shapes use. */

import { GruvError } from '../../errors.ts'
import { showShape, type Tensor } from '../../tensor.ts'
import type { LayerNode } from '../types.ts'
import { common } from './dims.ts'
import { misfit, type Shape } from './shape.ts'

export function axisOf(node: LayerNode, axis: number, shape: Shape): void {
  if (Number.isInteger(axis) && axis >= 0 && axis < shape.length) return
  throw new GruvError('bad-shape', `there is no axis ${axis}`, {
    where: node.name,
    got: showShape(shape),
  })
}

/** The shape that both are, where symbols leave it open. */
export function meets(node: LayerNode, port: string, got: Shape, expected: Shape): Shape {
  const both = got.map((extent, axis) => common(expected[axis] ?? -1, extent))
  if (got.length === expected.length && both.every((extent) => extent !== null)) return both
  throw misfit(node, port, got, showShape(expected))
}

/** @throws GruvError `bad-shape` naming the array, unless its shape fits; null fits anything. */
export function weightFits(
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
export function positive(node: LayerNode, x: Shape, y: Shape): Shape {
  if (y.every((extent) => typeof extent === 'string' || extent >= 0)) return y
  throw misfit(node, 'x', x, 'longer axes')
}
