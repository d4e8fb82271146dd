/** Holds models of every format to the limits that a caller gave. */

import { Budget, type LimitOptions } from '../limits.ts'
import type { Model } from '../model/types.ts'
import { weightsOf } from '../model/weights.ts'

/**
 * What a reader made. Formats that cannot multiply what they hold count nothing themselves.
 * @throws GruvError `too-large`
 */
export function checkModel({ nodes }: Model, limits: LimitOptions): void {
  const budget = Budget.reading(limits, Number.POSITIVE_INFINITY)
  budget.check('nodes', nodes.length, 'the layers of the model')
  if (limits.elements === undefined) return
  for (const node of nodes)
    for (const { data } of Object.values(weightsOf(node)))
      budget.spend('elements', data.length, node.name)
}
