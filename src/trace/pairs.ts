/** Pairs the recurrent layers, inputs and states of two models by their order. */

import { GruvError } from '../errors.ts'
import { isRecurrent, statesOf } from '../model/layers.ts'
import type { Model, RecurrentNode } from '../model/types.ts'
import { inOrderOf, readInputs } from '../runtime/run/inputs.ts'
import { isTensorLike } from '../runtime/run/named.ts'
import type { Named, TensorLike } from '../tensor.ts'
import { wantedLayers } from './trace.ts'

export type LayerPair = readonly [first: RecurrentNode, second: RecurrentNode]

/**
 * The recurrent layers of the first model with those of the second, in order.
 * @throws GruvError `bad-argument` when the layers differ in kind or units.
 */
export function pairLayers(first: Model, second: Model): readonly LayerPair[] {
  const [a, b] = [first, second].map(({ nodes }) => nodes.filter(isRecurrent))
  const show = (nodes: readonly RecurrentNode[]): string =>
    nodes
      .map(({ kind, units, direction }) => `${kind} of ${units} units, ${direction}`)
      .join('; ') || 'none'
  if (
    a.length === 0 ||
    a.length !== b.length ||
    a.some((node, i) => node.kind !== b[i].kind || node.units !== b[i].units)
  ) {
    throw new GruvError('bad-argument', 'the two models cannot be compared gate by gate', {
      where: `${first.name}, ${second.name}`,
      expected: `the same recurrent layers: ${show(a)}`,
      got: show(b),
    })
  }
  return a.map((node, i) => [node, b[i]] as const)
}

/**
 * The pairs whose first layer is wanted; all where none is named. @throws GruvError `not-found`.
 */
export function choosePairs(
  pairs: readonly LayerPair[],
  wanted: readonly string[] | undefined,
): readonly LayerPair[] {
  const chosen = wantedLayers(
    pairs.map(([{ name }]) => name),
    wanted,
  )
  return pairs.filter(([{ name }]) => chosen.includes(name))
}

/** The first model's inputs for the second, which may have other names and orders of axes. */
export function inputsOf(
  second: Model,
  first: Model,
  x: TensorLike | Named<TensorLike>,
): TensorLike | Named<TensorLike> {
  if (first.inputs.length !== second.inputs.length) return x
  const { tensors } = readInputs(first.inputs, x)
  const read = first.inputs.map(({ name }) => tensors.get(name)!)
  return Object.fromEntries(second.inputs.map((port, i) => [port.name, inOrderOf(port, read[i])]))
}

/** Renames initial states from the first model's names to the second's. */
export function statesOfSecond(
  pairs: readonly LayerPair[],
  given: TensorLike | Named<TensorLike>,
): TensorLike | Named<TensorLike> {
  if (isTensorLike(given)) return given
  const [ours, theirs] = [0, 1].map((side) =>
    pairs.flatMap((pair) => statesOf(pair[side]).map(({ name }) => name)),
  )
  return Object.fromEntries(
    Object.entries(given).map(([name, tensor]) => [theirs[ours.indexOf(name)] ?? name, tensor]),
  )
}
