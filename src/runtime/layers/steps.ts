/** What plans of recurrent layers have in common: the values, states and masks they touch. */

import type { MaskedOutput } from '../../model/masking.ts'
import type { RecurrentNode } from '../../model/types.ts'
import type { PlanBuilder } from '../plan.ts'

export interface StepsKernel {
  readonly node: string
  readonly features: number
  readonly units: number
  readonly direction: 'forward' | 'backward'
  readonly maskedOutput: MaskedOutput
  /** Value indices; −1 where the graph leaves the port open. */
  readonly x: number
  readonly initialState: number
  readonly initialCell: number
  readonly mask: number
  readonly lengths: number
  readonly sequence: number
  readonly last: number
  readonly finalState: number
  readonly finalCell: number
  /** Offset of h in the state row. */
  readonly state: number
  /** Offset of an LSTM's c in the state row; −1 in other layers. */
  readonly cell: number
  /** Offset in the state row of whether a step has counted; −1 where nobody asks. */
  readonly seen: number
}

export function planSteps(node: RecurrentNode, builder: PlanBuilder): StepsKernel {
  const sequence = builder.output('sequence', 'step')
  return {
    node: node.name,
    features: node.features,
    units: node.units,
    direction: node.direction,
    maskedOutput: node.maskedOutput,
    x: builder.input('x', 'step'),
    initialState: builder.input('initialState', 'row'),
    initialCell: builder.input('initialCell', 'row'),
    mask: builder.input('mask', 'step'),
    lengths: builder.input('lengths', 'row'),
    // The recurrence reads its own last output, so the sequence exists even if nobody asks for it.
    sequence: sequence < 0 ? builder.local('sequence', node.units, 'step') : sequence,
    last: builder.output('last', 'row'),
    finalState: builder.output('state', 'row'),
    finalCell: builder.output('cell', 'row'),
    state: builder.state('h'),
    cell: builder.state('c'),
    seen: builder.state('seen'),
  }
}
