/**
 * Lists what is searched: all combinations of conventions, and every other mistake, alone and in
 * pairs.
 */

import { isRecurrent } from '../model/layers.ts'
import type { Model } from '../model/types.ts'
import { type Choice, countOf } from './candidate.ts'
import { type Convention, conventionOf } from './change.ts'
import { entryOf, type HypothesisName, hypothesisNames } from './hypotheses.ts'
import type { Quirk } from './quirks.ts'

/**
 * All combinations of conventions, the fewest changes first; those that are equal only in name
 * once.
 */
export function conventionProduct(model: Model): readonly Choice[] {
  const nodes = model.nodes.filter(isRecurrent)
  if (nodes.length === 0) return [{}]
  /** The value of all layers that have the convention; null where they differ. */
  const shared = (key: Convention): string | null => {
    const values = nodes.flatMap((node) => conventionOf(node, key) ?? [])
    return values.every((value) => value === values[0]) ? values[0] : null
  }
  const options = (key: Convention, name: HypothesisName): readonly Choice[] => {
    if (nodes.every((node) => conventionOf(node, key) === null)) return [{}]
    const others = entryOf(name).values.filter((value) => value !== shared(key))
    return [{}, ...others.map((value) => ({ [key]: value }))]
  }
  const hasBias = nodes.some(
    ({ kind, weights }) => kind === 'gru' && weights.recurrentBias !== null,
  )
  const keepsReset = shared('reset')
  const placements = options('reset', 'reset').flatMap((reset): readonly Choice[] => {
    if (!hasBias) return [reset]
    const bias = options('bias', 'bias')
    const position = reset.reset ?? keepsReset
    if (position !== 'before') return bias.map((each) => ({ ...reset, ...each }))
    // With the reset before the product, both placements of the bias are the same.
    if (keepsReset === 'before' || shared('bias') === 'merged') return [reset]
    return [{ ...reset, bias: 'merged' }]
  })
  let product: readonly Choice[] = placements
  for (const [key, name] of [
    ['update', 'update'],
    ['gateOrder', 'gate-order'],
    ['lstmGateOrder', 'lstm-gate-order'],
    ['recurrentActivation', 'recurrent-activation'],
    ['activation', 'activation'],
  ] as const) {
    const values = options(key, name)
    product = product.flatMap((choice) => values.map((value) => ({ ...choice, ...value })))
  }
  return product.toSorted((a, b) => countOf(a) - countOf(b))
}

/**
 * Every quirk that is not a convention, with each of its values, on all layers and on each layer.
 * A value that comes from the data is not in the table: `countsOf` and `factors.ts` have them.
 */
export function quirkInstances(model: Model): readonly Quirk[] {
  const layers = model.nodes.filter(isRecurrent).map(({ name }) => name)
  const hasDense = model.nodes.some(({ kind }) => kind === 'dense')
  return hypothesisNames.flatMap((name) => {
    const { convention, values, node, dense, takes } = entryOf(name)
    if (convention !== undefined || takes === 'count') return []
    // A change of all layers may change more than the recurrent ones.
    const apart = layers.length > 1 || (dense !== undefined && hasDense)
    const places = node !== undefined && apart ? [null, ...layers] : [null]
    const each: readonly (string | null)[] = values.length === 0 ? [null] : values
    return places.flatMap((layer) => each.map((value) => ({ name, value, layer })))
  })
}

export function* pairs<T>(items: readonly T[]): Generator<readonly [T, T]> {
  for (let i = 0; i < items.length; i++)
    for (let j = i + 1; j < items.length; j++) yield [items[i], items[j]]
}

/**
 * Whether a choice leaves the activations as they are. Such choices are combined with mistakes
 * first.
 */
export function keepsActivations(choice: Choice): boolean {
  return choice.activation === undefined && choice.recurrentActivation === undefined
}

/** Two quirks of different kinds, or of one kind on different layers. */
export function* pairsOf(quirks: readonly Quirk[]): Generator<readonly Quirk[]> {
  for (const [a, b] of pairs(quirks.filter(({ name }) => !entryOf(name).alone))) {
    if (a.name !== b.name || (a.layer !== b.layer && a.layer !== null && b.layer !== null))
      yield [a, b]
  }
}
