/** What plans of recurrent layers have in common: the values and states they touch. */

import type { MaskedOutput } from '../../model/masking.ts'
import type { RecurrentNode } from '../../model/types.ts'
import type { PlanBuilder } from '../plan.ts'
import type { OtherPorts } from './other-ports.ts'

export interface StepsKernel extends OtherPorts {
  readonly node: string
  readonly features: number
  readonly units: number
  readonly direction: 'forward' | 'backward'
  readonly maskedOutput: MaskedOutput
  /** Value indices; −1 where nobody reads what leaves. */
  readonly x: number
  readonly sequence: number
  readonly last: number
  readonly finalState: number
  /** Offsets in the state row: of h, and of an LSTM's c. */
  readonly state: number
  readonly cell?: number
}

/** Of a layer whose only port is `x`; what a graph may connect besides is in `other-ports.ts`. */
export function planSteps(node: RecurrentNode, builder: PlanBuilder): StepsKernel {
  const sequence = builder.output('sequence', 'step')
  return {
    node: node.name,
    features: node.features,
    units: node.units,
    direction: node.direction,
    maskedOutput: node.maskedOutput,
    x: builder.input('x', 'step'),
    // The recurrence reads its own last output, so the sequence exists even if nobody asks for it.
    sequence: sequence < 0 ? builder.local('sequence', node.units, 'step') : sequence,
    last: builder.output('last', 'row'),
    finalState: builder.output('state', 'row'),
    state: builder.state('h'),
  }
}
