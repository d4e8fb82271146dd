/** Finds the conventions in which two readings of a layer differ, and the values they affect. */

import { type ConventionKey, conventionTable, meaningOf } from '../model/conventions/conventions.ts'
import type { RecurrentNode } from '../model/types.ts'
import { cellValues } from '../runtime/reference/cells.ts'
import { rolesOf } from './statistics.ts'

export interface ConventionDifference {
  readonly layer: string
  readonly key: ConventionKey | 'direction' | 'clip' | 'maskedOutput'
  readonly title: string
  readonly first: string
  readonly second: string
  /** Which values it acts on directly. */
  readonly moves: readonly string[]
  /** What the two mean, in words. */
  readonly words: string
}

/** Gates, candidate and states, in the order of computing. */
export function comparedValues(node: RecurrentNode): readonly string[] {
  const { gates, candidate, states } = rolesOf(node)
  const compared = new Set([...gates, candidate, ...states])
  return cellValues(node).filter((name) => compared.has(name))
}

/** Which values a choice acts on directly; null for all. */
const movedBy: Readonly<Record<ConventionDifference['key'], readonly string[] | null>> = {
  gateOrder: null,
  lstmGateOrder: null,
  transposed: null,
  peepholeOrder: ['i', 'f', 'o'],
  recurrentActivation: ['z', 'r', 'i', 'f', 'o'],
  reset: ['n'],
  bias: ['n'],
  activation: ['n', 'g'],
  update: ['h'],
  forgetGate: ['f'],
  outputActivation: ['h'],
  direction: null,
  clip: null,
  maskedOutput: [],
}

/** Layouts of a file; they affect nothing where both models have the same numbers. */
const layouts: ReadonlySet<ConventionDifference['key']> = new Set([
  'gateOrder',
  'lstmGateOrder',
  'transposed',
  'peepholeOrder',
])

/** @param sameWeights whether both models have the same trained numbers. */
export function conventionDifferences(
  a: RecurrentNode,
  b: RecurrentNode,
  sameWeights: boolean,
): readonly ConventionDifference[] {
  const names = comparedValues(a)
  const movesOf = (key: ConventionDifference['key']): readonly string[] => {
    if (sameWeights && layouts.has(key)) return []
    const moved = movedBy[key]
    if (moved === null) return names
    // A simple RNN has no candidate: its activation makes the state.
    if (a.kind === 'rnn' && key === 'activation') return ['h']
    return moved.filter((value) => names.includes(value))
  }
  const of = (node: RecurrentNode, key: ConventionKey): string =>
    node.conventions.find((each) => each.key === key)?.value ?? 'not said'
  const keys = [...new Set([...a.conventions, ...b.conventions].map(({ key }) => key))]
  const said = keys
    .filter((key) => of(a, key) !== of(b, key))
    .map((key): ConventionDifference => {
      const [first, second] = [of(a, key), of(b, key)]
      const { title } = conventionTable[key]
      const harmless = sameWeights && layouts.has(key) ? '; the numbers are the same' : ''
      const words = `the ${title}: ${explained(key, first)} in the first, ${explained(key, second)} in the second${harmless}`
      return { layer: a.name, key, title, first, second, moves: movesOf(key), words }
    })
  const behaviour = (['direction', 'clip', 'maskedOutput'] as const)
    .filter((key) => a[key] !== b[key])
    .map((key): ConventionDifference => {
      const [first, second] = [a, b].map((node) => String(node[key] ?? 'none'))
      const title = key === 'maskedOutput' ? 'output at masked steps' : key
      const words = `the ${title}: ${first} in the first, ${second} in the second`
      return { layer: a.name, key, title, first, second, moves: movesOf(key), words }
    })
  return [...said, ...behaviour]
}

function explained(key: ConventionKey, value: string): string {
  const meaning = meaningOf(key, value)
  return meaning === value ? value : `${value} (${meaning})`
}
