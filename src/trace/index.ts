/**
 * `gruv/trace`: every gate of every GRU layer, step by step, in float64.
 *
 *     for (const { layer, timestep, gates } of trace(model, x)) console.log(layer, timestep, gates.z)
 */

import type { Model } from '../model/types.ts'
import { type GruStep, runReference } from '../runtime/reference.ts'
import type { Named, TensorLike } from '../tensor.ts'

export type { GruStep } from '../runtime/reference.ts'

export interface TraceStep {
  readonly layer: string
  /** Of the batch. */
  readonly row: number
  readonly timestep: number
  /** Projections `xz xr xn hz hr hn`, gates `z r n` and the new state `h`, each [units]. */
  readonly gates: GruStep
}

export interface TraceOptions {
  readonly initialState?: TensorLike | Named<TensorLike>
}

/** All steps, layer by layer in the order of the graph, row by row, in order of time. */
export function trace(
  model: Model,
  x: TensorLike | Named<TensorLike>,
  options: TraceOptions = {},
): readonly TraceStep[] {
  const steps: TraceStep[] = []
  runReference(model, x, {
    ...options,
    observe: (node, row, timestep, gates) => steps.push({ layer: node.name, row, timestep, gates }),
  })
  return steps
}
