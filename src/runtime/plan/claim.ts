/** Refuses plans whose memory is beyond what their model justifies. */

import { Budget, checkLimits, type LimitOptions } from '../../limits.ts'
import type { Model } from '../../model/types.ts'
import type { Plan } from './types.ts'

/**
 * Before the memory is allocated.
 * @throws GruvError `too-large`
 */
export function checkPlan(
  { nodes }: Pick<Model, 'nodes'>,
  { memory, streams, weightsSize }: Plan,
  limits: LimitOptions | undefined,
): void {
  if (limits) checkLimits(limits)
  // Weights are what the file holds, and streams are asked for by the caller.
  const budget = Budget.running(limits, weightsSize + streams)
  budget.check('nodes', nodes.length, 'the model')
  const most = budget.most('elements')
  const rest = memory.size - (limits?.elements === undefined ? weightsSize : 0)
  if (rest > most) budget.check('elements', rest, `a program with ${streams} streams`)
}
