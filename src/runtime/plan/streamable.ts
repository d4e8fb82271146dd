/** Decides whether a graph can run step by step, and where its states begin. */

import type { Dim, Model } from '../../model/types.ts'
import { type LayerPlans, planOf } from './layers.ts'
import type { InitialState, Obstacle, Placement, PlannedNode, PlannedValue } from './types.ts'

const statePorts = [
  ['initialState', 'h'],
  ['initialCell', 'c'],
] as const

/** States that begin as inputs of the model say; those that another layer computes are none of them. */
export function initialStates({
  inputs,
  nodes,
}: Pick<Model, 'inputs' | 'nodes'>): readonly InitialState[] {
  const names = new Set(inputs.map(({ name }) => name))
  return nodes.flatMap((node) =>
    statePorts.flatMap(([port, slot]) => {
      const input = node.inputs[port]
      return names.has(input) ? [{ input, state: `${node.name}.${slot}` }] : []
    }),
  )
}

/**
 * The first obstacle to streaming; null where there is none. Whatever the mathematics allows
 * streams: one step of every layer for one step of the input.
 */
export function obstacleOf(
  { inputs }: Pick<Model, 'inputs'>,
  nodes: readonly PlannedNode[],
  values: readonly PlannedValue[],
  initial: readonly InitialState[],
  shapeOf: (value: string) => readonly Dim[],
  plans: Partial<LayerPlans>,
): Obstacle | null {
  const given = new Set(initial.map(({ input }) => input))
  // Each input with steps of its own advances by one.
  const clocks = new Set(inputs.map(({ name }) => shapeOf(name)[1]))
  const clock = nodes.find(({ placement }) => placement.sweep === 'forward')?.placement
  const roles = new Map<string, boolean>()
  for (const { node, placement, reads, makes } of nodes) {
    const why = planOf(plans, node)?.obstacle(node) ?? placementObstacle(placement, clock, clocks)
    if (why !== null) return { node: node.name, why }
    if (
      statePorts.some(([port]) => node.inputs[port] !== undefined && !given.has(node.inputs[port]))
    )
      return { node: node.name, why: 'it starts from a state that another layer computes' }
    for (const value of [...reads, ...makes]) {
      const { name, overTime } = values[value]
      if ((roles.get(name) ?? overTime) !== overTime)
        return { node: node.name, why: 'it takes a sequence for a single vector' }
      roles.set(name, overTime)
    }
  }
  const unread = inputs.find(({ name }) => !roles.has(name))
  return unread ? { node: unread.name, why: 'no layer reads this input' } : null
}

function placementObstacle(
  placement: Placement,
  clock: Placement | undefined,
  clocks: ReadonlySet<Dim | undefined>,
): string | null {
  if (placement.sweep === 'whole') return 'it needs the whole tensor at once'
  const together = (steps: Dim): boolean => typeof steps === 'string' && clocks.has(steps)
  const inStep =
    placement.sweep === 'once' ||
    (placement.rows === clock!.rows &&
      (placement.steps === clock!.steps || (together(placement.steps) && together(clock!.steps))))
  return inStep ? null : 'it runs over other steps than the input'
}
