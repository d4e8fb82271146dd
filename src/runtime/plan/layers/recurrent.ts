/** Plans what all recurrent layers have: the values, states and ports they touch. */

import type { Dim, RecurrentNode } from '../../../model/types.ts'
import type { RecurrentPorts } from '../kernels.ts'
import { type Placement, type PlanBuilder, sweepOver } from '../types.ts'

/** What a recurrent layer runs over, and whether it can take one step after the other. */
export const overSteps = {
  place: (node: RecurrentNode, shape: (value: string) => readonly Dim[]): Placement =>
    sweepOver(shape(node.inputs.x), node.direction),

  obstacle({ direction, inputs }: RecurrentNode): string | null {
    if (direction === 'backward') return 'it reads the sequence from its end'
    return inputs.lengths === undefined ? null : 'it must know how long the sequence is'
  },
}

export function planRecurrent(node: RecurrentNode, builder: PlanBuilder) {
  const sequence = builder.output('sequence', 'step')
  return {
    node: node.name,
    features: node.features,
    units: node.units,
    direction: node.direction,
    maskedOutput: node.maskedOutput,
    x: builder.input('x', 'step'),
    // The recurrence reads its own last output, so the sequence exists even if no layer reads it.
    sequence: sequence < 0 ? builder.local('sequence', node.units, 'step') : sequence,
    last: builder.output('last', 'row'),
    finalState: builder.output('state', 'row'),
    state: builder.state('h'),
  }
}

/** The ports that most graphs leave open. To be asked for last: values are numbered in that order. */
export function planPorts(builder: PlanBuilder): RecurrentPorts {
  const ports: Record<Exclude<keyof RecurrentPorts, 'mask'>, number> = {
    initialState: builder.input('initialState', 'row'),
    initialCell: builder.input('initialCell', 'row'),
    lengths: builder.input('lengths', 'row'),
    finalCell: builder.output('cell', 'row'),
  }
  const mask = { value: builder.input('mask', 'step'), seen: builder.state('seen') }
  const connected = Object.entries(ports).filter(([, index]) => index >= 0)
  return { ...Object.fromEntries(connected), ...(mask.value >= 0 && { mask }) }
}
