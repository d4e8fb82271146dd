/**
 * Which candidates are one and the same: those that give the same outputs for everything. A rich
 * random input with a state to start from decides, since names cannot: gate orders coincide where
 * gates hold the same numbers, a symmetric kernel is its own transpose, before the reset it is all
 * one where the recurrent bias lies.
 */

import { statesOf } from '../model/layers.ts'
import type { Model } from '../model/types.ts'
import { compileAtOnce } from '../runtime/at-once.ts'
import { type Named, sizeOf, type Tensor } from '../tensor.ts'
import { allQuirks, type Candidate, candidateModel } from './candidate.ts'
import { withRunQuirks } from './program.ts'

/** What candidates are tried on to see whether they differ. */
export interface Probe {
  readonly input: Named<Tensor>
  readonly initialState: Named<Tensor>
}

const SAME = 1e-12
const PROBE_SEED = 20240601
/** Unlike each other, so that swapped axes show. */
const PROBE_ROWS = 3
const PROBE_STEPS = 7
/**
 * Beside usual inputs some that take every activation out of the middle where it is a straight
 * line, for usual weights and for small ones; short, since states that grow lose their digits.
 */
const probes = [
  { rows: PROBE_ROWS, steps: PROBE_STEPS, scale: 1.5 },
  { rows: 8, steps: 2, scale: 6 },
  { rows: 8, steps: 2, scale: 150 },
  { rows: 8, steps: 2, scale: 4000 },
] as const

/** Random numbers in ±scale, for every input and every state. */
export function probe(
  model: Model,
  shape = { rows: PROBE_ROWS, steps: PROBE_STEPS },
  scale = 1.5,
): Probe {
  const next = numbers(PROBE_SEED)
  const tensor = (extents: readonly number[], size: number): Tensor => ({
    shape: extents,
    data: Float64Array.from({ length: sizeOf(extents) }, () => size * (2 * next() - 1)),
  })
  return {
    input: Object.fromEntries(
      model.inputs.map((port) => {
        const extents = port.shape.map((extent) =>
          extent === 'batch' ? shape.rows : typeof extent === 'string' ? shape.steps : extent,
        )
        return [port.name, tensor(extents, scale)]
      }),
    ),
    initialState: Object.fromEntries(
      model.nodes.flatMap(statesOf).map(({ name, size }) => [name, tensor([size], 0.8)]),
    ),
  }
}

/** mulberry32: 32 bits of state, the same numbers everywhere. */
function numbers(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

/** All outputs of a candidate, one after the other. */
export function respond(
  model: Model,
  candidate: Candidate,
  { input, initialState }: Probe,
  precision: 'f32' | 'f64' = 'f64',
): Float64Array | null {
  const read = candidateModel(model, candidate)
  if (read === null) return null
  const program = withRunQuirks(compileAtOnce(read, { precision }), allQuirks(candidate))
  const states = Object.keys(initialState).length > 0 ? { initialState } : {}
  const outputs = Object.values(program.predict(input, states))
  return Float64Array.from(outputs.flatMap(({ data }) => Array.from(data)))
}

/** The largest difference; infinite where one is no number or the sizes differ. */
export function apart(a: Float64Array, b: Float64Array): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY
  let largest = 0
  for (let i = 0; i < a.length; i++) {
    if (a[i] === b[i] || (Number.isNaN(a[i]) && Number.isNaN(b[i]))) continue
    const difference = Math.abs(a[i] - b[i])
    if (!(difference <= largest))
      largest = Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference
  }
  return largest
}

export function scaleOf(values: Float64Array): number {
  let scale = 0
  for (const value of values) if (Number.isFinite(value)) scale = Math.max(scale, Math.abs(value))
  return scale
}

type Response = Float64Array | null

function equivalent(a: Response, b: Response): boolean {
  if (a === null || b === null) return a === b
  return apart(a, b) <= SAME * Math.max(1, scaleOf(a))
}

/** Classes of what is the same, each with its first member first; the order stays. */
export function classes<T extends { readonly candidate: Candidate }>(
  model: Model,
  items: readonly T[],
): readonly (readonly T[])[] {
  const tried = probes.map(({ scale, ...shape }) => probe(model, shape, scale))
  const found: { readonly responses: readonly Response[]; readonly members: T[] }[] = []
  for (const item of items) {
    const responses = tried.map((each) => respond(model, item.candidate, each))
    const known = found.find((one) =>
      one.responses.every((response, i) => equivalent(response, responses[i])),
    )
    if (known === undefined) found.push({ responses, members: [item] })
    else known.members.push(item)
  }
  return found.map(({ members }) => members)
}
