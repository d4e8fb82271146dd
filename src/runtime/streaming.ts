/** Whether any graph can run step by step, and where its states begin. */

import { GruvError } from '../errors.ts'
import { isCausal } from '../model/causal.ts'
import { isRecurrent } from '../model/layers.ts'
import type { Conv1dNode, Dim, LayerNode, Model, RecurrentNode } from '../model/types.ts'
import { planStages } from './all-stages.ts'
import type { InitialState, Plan, PlannedValue } from './plan.ts'
import type { Arrange, Placement, PlannedNode } from './stages.ts'
import type { Stream } from './stream.ts'
import type { Toolkit } from './toolkit.ts'

/** Of any graph. */
export const arrangeGraph: Arrange = (model, nodes, values, shapeOf) => {
  const initial = initialStates(model)
  return {
    ...(initial.length > 0 && { initial }),
    stages: planStages(model, nodes, values),
    obstacle: obstacleTo(model, nodes, values, initial, shapeOf),
  }
}

const statePorts = [
  ['initialState', 'h'],
  ['initialCell', 'c'],
] as const

/** States that the model's inputs say; those that another layer computes are none of them. */
function initialStates({ inputs, nodes }: Model): readonly InitialState[] {
  const names = new Set(inputs.map(({ name }) => name))
  return nodes.flatMap((node) =>
    statePorts.flatMap(([port, slot]) => {
      const input = node.inputs[port]
      return names.has(input) ? [{ input, state: `${node.name}.${slot}` }] : []
    }),
  )
}

/** Whatever the mathematics allows streams: one step of every layer for one step of the input. */
function obstacleTo(
  { inputs }: Model,
  nodes: readonly PlannedNode[],
  values: readonly PlannedValue[],
  initial: readonly InitialState[],
  shapeOf: (value: string) => readonly Dim[],
): Plan['obstacle'] {
  const given = new Set(initial.map(({ input }) => input))
  // Each input with steps of its own advances by one.
  const clocks = new Set(inputs.map(({ name }) => shapeOf(name)[1]))
  const clock = nodes.find(({ placement }) => placement.sweep === 'forward')?.placement
  const roles = new Map<string, boolean>()
  for (const { node, placement, reads, makes } of nodes) {
    const why = obstacleOf(node, placement, clock, clocks)
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

function obstacleOf(
  node: LayerNode,
  placement: Placement,
  clock: Placement | undefined,
  clocks: ReadonlySet<Dim | undefined>,
): string | null {
  const answer = causal(node)
  if (answer !== true) return answer
  if (placement.sweep === 'whole') return 'it needs the whole tensor at once'
  const together = (steps: Dim): boolean => typeof steps === 'string' && clocks.has(steps)
  const inStep =
    placement.sweep === 'once' ||
    (placement.rows === clock!.rows &&
      (placement.steps === clock!.steps || (together(placement.steps) && together(clock!.steps))))
  return inStep ? null : 'it runs over other steps than the input'
}

/** Whether a step needs nothing but the steps before it; if not, why. */
function causal(node: LayerNode): true | string {
  if (isRecurrent(node)) return causalSteps(node)
  return node.kind !== 'conv1d' || isCausal(node) || whyNot(node)
}

function causalSteps({ direction, inputs }: RecurrentNode): true | string {
  if (direction === 'backward') return 'it reads the sequence from its end'
  return inputs.lengths === undefined || 'it must know how long the sequence is'
}

function whyNot({ stride, groups, size, dilation, padding }: Conv1dNode): string {
  if (stride !== 1) return 'it gives fewer steps than it takes'
  const past = padding !== 'same' && padding.before === (size - 1) * dilation && padding.after === 0
  return past && groups !== 1
    ? 'its channels are in groups'
    : 'its window reaches beyond the present step'
}

/** @throws GruvError `not-causal` where there is an obstacle. */
export const streamOfGraph: Toolkit['stream'] = ({ obstacle, initial }, open) => {
  if (obstacle !== null) {
    throw new GruvError('not-causal', `this model cannot run step by step: ${obstacle.why}`, {
      where: obstacle.node,
      fix: 'Run whole sequences with predict.',
    })
  }
  return initial === undefined ? open() : beginning(open(), initial)
}

/** The same stream, with states that begin as inputs say: at its first step, and the first after a reset. */
function beginning(stream: Stream, initial: readonly InitialState[]): Stream {
  const begun = Object.fromEntries(
    initial.map(({ input, state }) => [state, stream.inputs[input]] as const),
  )
  let fresh = true
  return {
    ...stream,
    step() {
      if (fresh) stream.setState(begun)
      fresh = false
      stream.step()
    },
    setState(next) {
      // Refused whole: then nothing has begun.
      stream.setState(next)
      // What is not named begins as the inputs say.
      if (fresh) stream.setState({ ...begun, ...next })
      fresh = false
    },
    reset() {
      stream.reset()
      fresh = true
    },
  }
}
