/** What plans of layers of one vector in, one vector out have in common. */

import type { LayerNode } from '../../model/types.ts'
import { type PlanBuilder, padded, type Role } from '../plan.ts'

/** A layer from the vectors of `x` to those of `y`, of equal width. */
export interface VectorMap {
  readonly node: string
  readonly width: number
  /** `width`, padded to whole vectors of four. */
  readonly lanes: number
  /** Value indices. */
  readonly x: number
  readonly y: number
  readonly overTime: boolean
}

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
