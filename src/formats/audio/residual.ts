/** Adds the residual connection of amplifier models: the first features are added to the output. */

import { GruvError } from '../../errors.ts'
import type { LayerNode } from '../../model/types.ts'

export interface Residual {
  /** The input's value, and its features. */
  readonly from: string
  readonly features: number
  /** The output's value, and its units. */
  readonly to: string
  readonly units: number
  /** How many features are added; 0 for none. */
  readonly skip: number
}

/**
 * Adds the nodes for `to + from[..., :skip]`. The features are chosen by a matrix of ones and
 * zeros rather than a slice, so that the graph still runs step by step.
 * @returns the value of the sum.
 */
export function addResidual(
  nodes: LayerNode[],
  { from, features, to, units, skip }: Residual,
  name = 'residual',
): string {
  if (skip === 0) return to
  // One feature is added to every unit, as PyTorch broadcasts.
  const broadcast = skip === 1 && units > 1
  if (
    !Number.isSafeInteger(skip) ||
    skip < 0 ||
    skip > features ||
    !(broadcast || skip === units)
  ) {
    throw new GruvError('unsupported', 'this residual connection does not fit the network', {
      where: 'skip',
      expected: `0, 1 or ${units}, and at most ${features} features`,
      got: `${skip}`,
    })
  }
  let addend = from
  if (skip !== features || broadcast) {
    const data = new Float32Array(features * units)
    for (let unit = 0; unit < units; unit++) data[(broadcast ? 0 : unit) * units + unit] = 1
    addend = `${name}.features.y`
    nodes.push({
      kind: 'dense',
      name: `${name}.features`,
      features,
      units,
      activation: { kind: 'linear', parameters: [] },
      weights: { kernel: { shape: [features, units], data }, bias: null },
      inputs: { x: from },
      outputs: { y: addend },
      conventions: [],
    })
  }
  nodes.push({
    kind: 'merge',
    name,
    mode: 'add',
    inputs: { 0: to, 1: addend },
    outputs: { y: `${name}.y` },
    conventions: [],
  })
  return `${name}.y`
}
