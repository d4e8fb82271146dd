/** Plans of layers that look at one vector at a time. */

import type { Dim, LayerNode } from '../../../model/types.ts'
import type { VectorMap } from '../kernels.ts'
import { type Placement, type PlanBuilder, padded, type Role, sweepOver } from '../types.ts'

/** What such a layer runs over: its input's vectors, each of them by itself. */
export const perVector = {
  place: (
    { inputs }: Pick<LayerNode, 'inputs'>,
    shape: (value: string) => readonly Dim[],
  ): Placement | null => overVectors(shape(inputs.x)),
  obstacle: (): null => null,
}

/** [rows, features] once, [rows, steps, features] step by step; null for anything else. */
export function overVectors(shape: readonly Dim[]): Placement | null {
  if (typeof shape.at(-1) !== 'number') return null
  if (shape.length === 2) return { sweep: 'once', rows: shape[0], steps: 1 }
  return shape.length === 3 ? sweepOver(shape, 'forward') : null
}

/** From the vectors of `x` to those of `y`, of equal width. */
export function planMap(node: LayerNode, role: Role, builder: PlanBuilder): VectorMap {
  const x = builder.input('x', role)
  const width = builder.width(x)
  const y = builder.output('y', role)
  return {
    node: node.name,
    width,
    lanes: padded(width),
    x,
    y: y < 0 ? builder.local('y', width, role) : y,
    overTime: role === 'step',
  }
}
