/** A candidate: which conventions and quirks together, as data, as a model, as flags. */

import { activation } from '../model/activations.ts'
import { conventionTable, type GruConventionKey, gruConventionKeys } from '../model/conventions.ts'
import type { GruNode, Model } from '../model/types.ts'
import { conventionOf, isGru } from './change.ts'
import {
  applyQuirk,
  conventionHypotheses,
  entryOf,
  type HypothesisName,
  hypothesisNames,
  type Quirk,
  showQuirk,
} from './hypotheses.ts'
import type { Reading } from './sieve.ts'

/** Conventions by key; what is not there stays as the model has it. */
export type Choice = Readonly<Partial<Record<GruConventionKey, string>>>

export interface Candidate {
  /** Of all GRU layers. */
  readonly choice: Choice
  /** Of one layer, where layers differ. */
  readonly layers: Readonly<Record<string, Choice>>
  /** In the order of the table. */
  readonly quirks: readonly Quirk[]
}

export const asItIs: Candidate = { choice: {}, layers: {}, quirks: [] }

const hypothesisOf = new Map<GruConventionKey, HypothesisName>(conventionHypotheses)

/** In the order in which they are applied: conventions first, then the rest. */
export function allQuirks({ choice, layers, quirks }: Candidate): readonly Quirk[] {
  const ofChoice = (from: Choice, layer: string | null): readonly Quirk[] =>
    conventionHypotheses.flatMap(([key, name]) =>
      from[key] === undefined ? [] : [{ name, value: from[key], layer }],
    )
  return [
    ...ofChoice(choice, null),
    ...Object.entries(layers).flatMap(([layer, own]) => ofChoice(own, layer)),
    ...quirks,
  ]
}

/** The model read this way, or null where it cannot be. */
export function candidateModel(model: Model, candidate: Candidate): Model | null {
  let changed = model
  for (const quirk of allQuirks(candidate)) {
    const next = applyQuirk(changed, quirk)
    // A convention of all layers that means nothing to any of them is no change.
    if (next === null && entryOf(quirk.name).convention === undefined) return null
    changed = next ?? changed
  }
  return changed
}

export function inTableOrder(quirks: readonly Quirk[]): readonly Quirk[] {
  return quirks.toSorted(
    (a, b) => hypothesisNames.indexOf(a.name) - hypothesisNames.indexOf(b.name),
  )
}

/** How much it asks one to believe: fewer departures first. */
export function departures({ choice, layers, quirks }: Candidate): number {
  const count = (from: Choice): number =>
    // Before the reset the bias has no place of its own: saying so is no departure.
    Object.keys(from).length - (from.reset === 'before' && from.bias !== undefined ? 1 : 0)
  return (
    100 * quirks.length +
    10 * Object.values(layers).reduce((sum, own) => sum + count(own), 0) +
    count(choice)
  )
}

export function readingOf(choice: Choice): Reading {
  const { gateOrder, reset, update, bias, activation: φ, recurrentActivation: σ } = choice
  return {
    ...(gateOrder !== undefined && { gateOrder }),
    ...(reset !== undefined && { reset: reset as 'after' | 'before' }),
    ...(update !== undefined && { update: update as 'keeps' | 'updates' }),
    ...(bias !== undefined && { bias: bias as 'separate' | 'merged' }),
    ...(φ !== undefined && { activation: activation(φ) }),
    ...(σ !== undefined && { recurrentActivation: activation(σ) }),
  }
}

/** A candidate's conventions as they are after it, for all layers or, where they differ, by layer. */
export interface ConventionSet {
  readonly gateOrder?: string
  readonly transposed?: string
  readonly reset?: string
  readonly update?: string
  readonly bias?: string
  readonly activation?: string
  readonly recurrentActivation?: string
  readonly layers?: Readonly<Record<string, Readonly<Record<string, string>>>>
  /** As `--quirk` takes them. */
  readonly quirks: readonly string[]
}

export function conventionSet(read: Model, candidate: Candidate): ConventionSet {
  const nodes = read.nodes.filter(isGru)
  const common: Record<string, string> = {}
  const layers: Record<string, Record<string, string>> = {}
  for (const key of gruConventionKeys) {
    const values = nodes.map((node) => conventionOf(node, key))
    if (values.length === 0) continue
    if (values.every((value) => value === values[0])) common[key] = values[0]
    else
      nodes.forEach((node, i) => {
        layers[node.name] = { ...layers[node.name], [key]: values[i] }
      })
  }
  return {
    ...common,
    ...(Object.keys(layers).length > 0 && { layers }),
    quirks: candidate.quirks.map(showQuirk),
  }
}

/**
 * What to pass to `gruv run` for this candidate.
 * @param conventionFlags whether the file's reader takes flags for conventions; files that state
 *   their conventions refuse them, and quirks say the same over the file's head.
 */
export function flagsOf(model: Model, candidate: Candidate, conventionFlags: boolean): string {
  const nodes = model.nodes.filter(isGru)
  const flags: string[] = []
  for (const [key] of conventionHypotheses) {
    const value = candidate.choice[key] ?? chosenBefore(nodes, key)
    if (value === undefined) continue
    if (conventionFlags) flags.push(`${conventionTable[key].flag} ${quoted(value)}`)
    else if (candidate.choice[key] !== undefined)
      flags.push(`--quirk ${quoted(`${hypothesisOf.get(key)}=${value}`)}`)
  }
  const rest = allQuirks({ ...candidate, choice: {} })
  return [...flags, ...rest.map((quirk) => `--quirk ${quoted(showQuirk(quirk))}`)].join(' ')
}

/** A flag that was given when the model was read has to be given again. */
function chosenBefore(nodes: readonly GruNode[], key: GruConventionKey): string | undefined {
  const chosen = nodes[0]?.conventions.find((convention) => convention.key === key)
  return chosen?.origin === 'chosen' ? chosen.value : undefined
}

/** Whether a model's file leaves its conventions to flags, as bare arrays do. */
export function takesConventionFlags(model: Model): boolean {
  const nodes = model.nodes.filter(isGru)
  return nodes.length === 1 && !nodes[0].conventions.some(({ origin }) => origin === 'stated')
}

function quoted(text: string): string {
  return /^[\w.@=+-]+$/.test(text) ? text : `"${text}"`
}
