/**
 * Knows before a run what it will hold: which values are alive when, and how many numbers that is.
 *
 * A moment is what runs together: a stage of frames, or one node on whole tensors. A value lives
 * from the moment that makes it to the last that reads it; outputs live to the end.
 */

import { isGruvError } from '../../errors.ts'
import { Budget, type LimitOptions } from '../../limits.ts'
import { evaluate } from '../../model/shapes/dims.ts'
import type { Dim, LayerNode, Model } from '../../model/types.ts'
import { type Named, sizeOf } from '../../tensor.ts'
import type { Plan } from '../plan/types.ts'
import type { Run, RunRequest } from '../run/predict.ts'
import { costOf } from './costs.ts'

interface Moment {
  /** For messages. */
  readonly where: string
  /** The node on whole tensors; null for a stage of frames. */
  readonly node: LayerNode | null
  readonly reads: readonly string[]
  readonly makes: readonly string[]
  /** Final states that are made, [rows, size] each. */
  readonly states: readonly (readonly Dim[])[]
}

export interface Lives {
  readonly moments: readonly Moment[]
  /** The last moment that reads a value; none for outputs. */
  readonly last: ReadonlyMap<string, number>
  /** The number of the first moment of each stage. */
  readonly first: readonly number[]
  readonly nodes: ReadonlyMap<string, LayerNode>
}

const known = new WeakMap<Plan, { readonly model: Pick<Model, 'nodes'>; readonly lives: Lives }>()

/** When the values of a plan are alive; looked at once for each plan. */
export function livesOf(plan: Plan, model: Pick<Model, 'nodes'>): Lives {
  const before = known.get(plan)
  // Other weights are other nodes.
  if (before?.model === model) return before.lives
  const nodes = new Map(model.nodes.map((node) => [node.name, node]))
  const states = new Map<string, (readonly Dim[])[]>()
  for (const { node, rows, size } of plan.states)
    states.set(node, [...(states.get(node) ?? []), [rows, size]])
  const moments: Moment[] = []
  const first = plan.stages.map(({ sweep, kernels, reads, writes }) => {
    const at = moments.length
    const named = (values: readonly number[]) => values.map((value) => plan.values[value].name)
    if (sweep === 'whole') {
      for (const { node: name } of kernels) {
        const node = nodes.get(name)!
        const [arriving, leaving] = [Object.values(node.inputs), Object.values(node.outputs)]
        moments.push({ where: name, node, reads: arriving, makes: leaving, states: [] })
      }
    } else {
      moments.push({
        where: kernels[0].node,
        node: null,
        reads: named(reads),
        makes: named(writes),
        states: kernels.flatMap(({ node }) => states.get(node) ?? []),
      })
    }
    return at
  })
  const last = new Map<string, number>()
  moments.forEach(({ reads, makes }, at) => {
    for (const value of [...reads, ...makes]) last.set(value, at)
  })
  for (const { value } of plan.outputs) last.delete(value)
  const lives = { moments, last, first, nodes }
  known.set(plan, { model, lives })
  return lives
}

/** Drops the values that no later moment reads. */
export function drop(tensors: Run['tensors'], { moments, last }: Lives, moment: number): void {
  const { reads, makes } = moments[moment]
  for (const value of [...reads, ...makes]) if (last.get(value) === moment) tensors.delete(value)
}

/**
 * Adds up what a run will hold and do, and makes nothing.
 * @throws GruvError `too-large`, naming the layer at which it is too much.
 */
export function checkRun(
  plan: Plan,
  model: Pick<Model, 'nodes'>,
  { inputs }: RunRequest,
  limits: LimitOptions | undefined,
): void {
  const { moments, last } = livesOf(plan, model)
  const given = [...inputs.tensors.values()].reduce((sum, { data }) => sum + data.length, 0)
  const budget = Budget.running(limits, plan.weightsSize + given)
  const copies = plan.precision === 'f32' ? 1 : 0
  const shapes = new Map<string, readonly number[]>()
  for (const [name, { shape }] of inputs.tensors) shapes.set(name, shape)
  const shapeOf = (value: string): readonly number[] => {
    const before = shapes.get(value)
    if (before !== undefined) return before
    const shape = plan.shapes[value].map((dim) => extentOf(dim, inputs))
    shapes.set(value, shape)
    return shape
  }
  const sizes = (values: readonly string[]): number =>
    values.reduce((sum, value) => sum + sizeOf(shapeOf(value)), 0)
  let alive = 0
  moments.forEach(({ where, node, reads, makes, states }, at) => {
    const made = sizes(makes)
    const carried = states.reduce(
      (sum, dims) => sum + sizeOf(dims.map((dim) => extentOf(dim, inputs))),
      0,
    )
    let beside = carried
    if (node !== null) {
      const { scratch, operations } = costOf(
        node,
        shapesAt(node.inputs, shapeOf),
        shapesAt(node.outputs, shapeOf),
      )
      // Whole tensors are computed in float64: float32 arrives and leaves by a copy.
      beside += scratch + copies * (sizes(reads) + made)
      budget.spend('operations', operations, where)
    }
    budget.check('elements', alive + made + beside, where)
    alive += made + carried
    for (const value of new Set([...reads, ...makes]))
      if (last.get(value) === at && !inputs.tensors.has(value)) alive -= sizeOf(shapeOf(value))
  })
}

function shapesAt(
  ports: Named<string>,
  shapeOf: (value: string) => readonly number[],
): Named<readonly number[]> {
  return Object.fromEntries(Object.entries(ports).map(([port, value]) => [port, shapeOf(value)]))
}

/** The number behind an extent; 0 where only the run itself will tell. */
function extentOf(dim: Dim, { extent }: RunRequest['inputs']): number {
  if (typeof dim === 'number') return dim
  try {
    return Math.max(0, evaluate(dim, extent))
  } catch (error) {
    if (isGruvError(error)) return 0
    throw error
  }
}
