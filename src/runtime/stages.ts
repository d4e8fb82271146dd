/** Which kernels of a plan run together, and what goes in and out of the frame between them. */

import type { Dim, LayerNode, Model } from '../model/types.ts'
import type { Kernel } from './layer.ts'
import type { Plan, PlannedValue } from './plan.ts'

/**
 * How a stage runs: over time, chunk by chunk, from the first step or from the last; once for each
 * row; or on whole tensors, outside the frame.
 */
export type Sweep = 'forward' | 'backward' | 'once' | 'whole'

/** What a node runs over: rows and steps of the values it reads. */
export interface Placement {
  readonly sweep: Sweep
  /** 1 where there are none. */
  readonly rows: Dim
  readonly steps: Dim
}

/** Kernels that run together. */
export interface Stage extends Placement {
  readonly kernels: readonly Kernel[]
  /** Values that come from outside the frame: graph inputs, or what an earlier stage left. */
  readonly reads: readonly number[]
  /** Values that leave the frame: graph outputs, or what a later stage needs. */
  readonly writes: readonly number[]
}

export interface PlannedNode {
  readonly node: LayerNode
  readonly kernel: Kernel
  readonly placement: Placement
  /** Value indices: what it reads in the frame, and makes there. */
  readonly reads: readonly number[]
  readonly makes: readonly number[]
}

/** What becomes of nodes that are planned one by one: which run together, and whether step by step. */
export type Arrange = (
  model: Model,
  nodes: readonly PlannedNode[],
  values: readonly PlannedValue[],
  shapeOf: (value: string) => readonly Dim[],
) => Pick<Plan, 'initial' | 'stages' | 'obstacle'>

/**
 * Of a plain model (`at-hand.ts`): layers over the steps, chunk by chunk; then those over what the
 * last step left, once. `arrangeGraph` (`streaming.ts`) does it for any other.
 */
export const arrangeChain: Arrange = ({ outputs }, nodes, values) => {
  const sweeps = (['forward', 'once'] as const).map((sweep) =>
    nodes.filter(({ placement }) => placement.sweep === sweep),
  )
  const leaving = [...outputs.map(({ value }) => value), sweeps[1][0]?.node.inputs.x]
  return {
    stages: sweeps
      .filter(({ length }) => length > 0)
      .map((members) => ({
        ...members[0].placement,
        kernels: members.map(({ kernel }) => kernel),
        reads: members[0].reads,
        writes: members
          .flatMap(({ makes }) => makes)
          .filter((value) => leaving.includes(values[value].name)),
      })),
    obstacle: null,
  }
}
