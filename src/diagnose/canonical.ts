/**
 * Groups candidates that give the same outputs for every input.
 *
 * Rich random inputs with initial states decide, since names cannot: gate orders coincide where
 * gates hold the same numbers, a symmetric kernel is its own transpose, and with the reset before
 * the product the placement of the recurrent bias makes no difference.
 */

import { isGruvError } from '../errors.ts'
import { statesOf } from '../model/layers.ts'
import type { Model } from '../model/types.ts'
import { compileSync } from '../runtime/compile-sync.ts'
import { largestDistance, type Named, sizeOf, type Tensor } from '../tensor.ts'
import { random } from '../verify/random.ts'
import { largestMagnitude } from '../verify/tolerance.ts'
import { allQuirks, type Candidate, candidateModel } from './candidate.ts'
import { withRunQuirks } from './program.ts'

/** Inputs and initial states on which candidates are compared. */
export interface Probe {
  readonly input: Named<Tensor>
  readonly initialState: Named<Tensor>
}

const SAME = 1e-12
const PROBE_SEED = 20240601
/** Different from each other, so that swapped axes show. */
const PROBE_ROWS = 3
const PROBE_STEPS = 7
/**
 * One probe of usual size, and some that drive every activation out of its linear middle, for usual
 * and for small weights. These are short, since states that grow lose digits.
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
  const next = random(PROBE_SEED)
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
        const tokens = countOfTokens(model, port.name)
        const numbers = tensor(extents, scale)
        if (tokens === null) return [port.name, numbers]
        const data = numbers.data.map((value) => Math.floor(Math.abs(value) * 1000) % tokens)
        return [port.name, { shape: extents, data }]
      }),
    ),
    initialState: Object.fromEntries(
      model.nodes.flatMap(statesOf).map(({ name, size }) => [name, tensor([size], 0.8)]),
    ),
  }
}

/** How many rows the table has that an input chooses from; null where it is not one of tokens. */
function countOfTokens({ nodes }: Model, input: string): number | null {
  const table = nodes.find((node) => node.kind === 'embedding' && node.inputs.x === input)
  return table?.kind === 'embedding' ? table.weights.table.shape[0] : null
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
  const program = withRunQuirks(compileSync(read, { precision }), allQuirks(candidate))
  const states = Object.keys(initialState).length > 0 ? { initialState } : {}
  try {
    const outputs = Object.values(program.predict(input, states))
    return Float64Array.from(outputs.flatMap(({ data }) => Array.from(data)))
  } catch (error) {
    // Not every reading can run on every extent.
    if (isGruvError(error)) return null
    throw error
  }
}

type Response = Float64Array | null

function equivalent(a: Response, b: Response): boolean {
  if (a === null || b === null) return a === b
  return largestDistance(a, b) <= SAME * Math.max(1, largestMagnitude(a))
}

/** Groups of equivalent items, in the order of their first members. */
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
