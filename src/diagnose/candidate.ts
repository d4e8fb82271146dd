/** Candidates: combinations of conventions and quirks, as data, as models and as flags. */

import { activation } from '../model/activation/activations.ts'
import { conventionTable } from '../model/conventions/conventions.ts'
import { isRecurrent } from '../model/layers.ts'
import type { Model, RecurrentNode } from '../model/types.ts'
import { type Convention, canScale, conventionOf } from './change.ts'
import {
  conventionHypotheses,
  entryOf,
  type HypothesisName,
  hypothesisNames,
} from './hypotheses.ts'
import type { Reading } from './prefilter.ts'
import { applyQuirk, type Quirk, showQuirk } from './quirks.ts'

/** Conventions by key; a key that is missing leaves the model as it is. */
export type Choice = Readonly<Partial<Record<Convention, string>>>

export interface Candidate {
  /** Of all recurrent layers. */
  readonly choice: Choice
  /** Of one layer, where layers differ. */
  readonly layers: Readonly<Record<string, Choice>>
  /** In the order of the table. */
  readonly quirks: readonly Quirk[]
}

export const asItIs: Candidate = { choice: {}, layers: {}, quirks: [] }

const hypothesisOf = new Map<Convention, HypothesisName>(conventionHypotheses)

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

/** In how many ways it departs from the model: conventions and quirks count one each. */
export function departures({ choice, layers, quirks }: Candidate): number {
  return (
    countOf(choice) +
    Object.values(layers).reduce((sum, own) => sum + countOf(own), 0) +
    quirks.length
  )
}

export function countOf(choice: Choice): number {
  // With the reset before the product, the placement of the bias changes nothing: no departure.
  const saysNothing = choice.reset === 'before' && choice.bias !== undefined
  return Object.keys(choice).length - (saysNothing ? 1 : 0)
}

/**
 * Fewer departures first; among equals, conventions before mistakes and all layers before single
 * ones.
 */
export function simplerFirst(a: Candidate, b: Candidate): number {
  const layered = ({ layers }: Candidate): number => Object.keys(layers).length
  return (
    departures(a) - departures(b) || a.quirks.length - b.quirks.length || layered(a) - layered(b)
  )
}

/**
 * How many changes lead from one candidate to the other: a convention, in all layers or in one, or
 * a quirk that is added, left out or exchanged for another.
 */
export function changesBetween(a: Candidate, b: Candidate): number {
  let changes = changesOf(a.choice, b.choice)
  for (const layer of new Set([...Object.keys(a.layers), ...Object.keys(b.layers)]))
    changes += changesOf(a.layers[layer] ?? {}, b.layers[layer] ?? {})
  const [ofA, ofB] = [a, b].map(({ quirks }) => quirks.map(showQuirk))
  const without = (list: readonly string[], other: readonly string[]): number =>
    list.filter((quirk) => !other.includes(quirk)).length
  return changes + Math.max(without(ofA, ofB), without(ofB, ofA))
}

/**
 * How many conventions two choices differ in; a bias that moves only with the reset does not count.
 */
function changesOf(a: Choice, b: Choice): number {
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]) as Set<Convention>
  return [...keys].filter((key) => a[key] !== b[key] && !(key === 'bias' && a.reset !== b.reset))
    .length
}

/**
 * The reading of each layer under a candidate; its own conventions override those of all layers.
 */
export function readingsOf({
  choice,
  layers,
  quirks,
}: Candidate): (node: RecurrentNode) => Reading {
  const all = readingOf(choice)
  const factors = quirks.filter(isFactor)
  if (factors.length === 0 && Object.keys(layers).length === 0) return () => all
  return ({ name }) => {
    const reading = { ...all, ...readingOf(layers[name] ?? {}) }
    let { kernelFactor = 1, biasFactor = 1 } = reading
    for (const quirk of factors) {
      if (quirk.layer !== null && quirk.layer !== name) continue
      kernelFactor *= Number(quirk.value)
      if (entryOf(quirk.name).scales === 'weights') biasFactor *= Number(quirk.value)
    }
    return { ...reading, kernelFactor, biasFactor }
  }
}

/** Whether a quirk multiplies weights, which the prefilter does without a copy of them. */
export function isFactor({ name }: Quirk): boolean {
  return entryOf(name).scales !== undefined
}

/** Whether such a quirk changes anything in a model. */
export function canHaveFactor(model: Model, { name, layer }: Quirk): boolean {
  return model.nodes.some(
    (node) =>
      isRecurrent(node) &&
      (layer === null || layer === node.name) &&
      canScale(node, entryOf(name).scales === 'kernels'),
  )
}

const readings = new WeakMap<Choice, Reading>()

/** Choices are tried with thousands of quirks, so each is parsed once. */
function readingOf(choice: Choice): Reading {
  const known = readings.get(choice) ?? readChoice(choice)
  readings.set(choice, known)
  return known
}

function readChoice(choice: Choice): Reading {
  const { gateOrder, lstmGateOrder, reset, update, bias } = choice
  const { activation: φ, recurrentActivation: σ } = choice
  return {
    ...(gateOrder !== undefined && { gateOrder }),
    ...(lstmGateOrder !== undefined && { lstmGateOrder }),
    ...(reset !== undefined && { reset: reset as 'after' | 'before' }),
    ...(update !== undefined && { update: update as 'keeps' | 'updates' }),
    ...(bias !== undefined && { bias: bias as 'separate' | 'merged' }),
    ...(φ !== undefined && { activation: activation(φ) }),
    ...(σ !== undefined && { recurrentActivation: activation(σ) }),
  }
}

/** The conventions that a candidate leads to: for all layers, or by layer where layers differ. */
export interface ConventionSet extends Choice {
  readonly layers?: Readonly<Record<string, Readonly<Record<string, string>>>>
  /** As `--quirk` takes them. */
  readonly quirks: readonly string[]
}

/** In the order in which they are shown. */
const shownConventions = [
  'gateOrder',
  'lstmGateOrder',
  'transposed',
  'reset',
  'update',
  'bias',
  'activation',
  'recurrentActivation',
] as const satisfies readonly Convention[]

export function conventionSet(read: Model, candidate: Candidate): ConventionSet {
  const nodes = read.nodes.filter(isRecurrent)
  const common: Record<string, string> = {}
  const layers: Record<string, Record<string, string>> = {}
  for (const key of shownConventions) {
    const values = nodes.flatMap((node) => {
      const value = conventionOf(node, key)
      return value === null ? [] : [{ layer: node.name, value }]
    })
    if (values.length === 0) continue
    if (values.every(({ value }) => value === values[0].value)) common[key] = values[0].value
    else for (const { layer, value } of values) layers[layer] = { ...layers[layer], [key]: value }
  }
  return {
    ...common,
    ...(Object.keys(layers).length > 0 && { layers }),
    quirks: candidate.quirks.map(showQuirk),
  }
}

/**
 * What to pass to `gruv run` for this candidate.
 * @param conventionFlags whether the file's reader takes flags for conventions. Files that state
 *   their conventions refuse the flags; quirks override what they state.
 */
export function flagsOf(model: Model, candidate: Candidate, conventionFlags: boolean): string {
  const nodes = model.nodes.filter(isRecurrent)
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
function chosenBefore(nodes: readonly RecurrentNode[], key: Convention): string | undefined {
  const chosen = nodes[0]?.conventions.find((convention) => convention.key === key)
  return chosen?.origin === 'chosen' ? chosen.value : undefined
}

/** Whether a model's file leaves its conventions to flags, as bare arrays do. */
export function takesConventionFlags(model: Model): boolean {
  const nodes = model.nodes.filter(isRecurrent)
  return nodes.length === 1 && !nodes[0].conventions.some(({ origin }) => origin === 'stated')
}

/** Quoted for a shell where needed. */
export function quoted(text: string): string {
  if (/^[\w.@=+,:/-]+$/.test(text)) return text
  return /["$`\\!]/.test(text) ? `'${text.replaceAll("'", `'\\''`)}'` : `"${text}"`
}
