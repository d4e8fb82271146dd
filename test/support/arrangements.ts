/**
 * Models in every arrangement that files have, and mistakes planted in them: time first, fixed
 * extents, final states, GRU, LSTM and simple RNN, one or two layers, both directions.
 */

import {
  applyQuirks,
  changesRun,
  diagnose,
  type HypothesisName,
  hypothesisTable,
  withRunQuirks,
} from '../../src/diagnose/index.ts'
import { compileSync, isGruvError } from '../../src/index.ts'
import { createModel } from '../../src/model/graph.ts'
import { bidirectional, isRecurrent, type Model, sequential } from '../../src/model/index.ts'
import type { Named, Tensor } from '../../src/tensor.ts'
import { largestDistance } from '../../src/tensor.ts'
import { openExtents } from '../../src/verify/open-extents.ts'
import { random, randomArrays, randomGru, randomLstm, randomRnn, tensor } from './random.ts'

export interface Arrangement {
  readonly kind: 'gru' | 'lstm' | 'rnn'
  readonly layers: 1 | 2
  readonly bidirectional: boolean
  readonly timeFirst: boolean
  readonly fixed: boolean
  readonly gives: 'sequence' | 'last' | 'final state'
}

const yesNo = [false, true] as const

export const arrangements: readonly Arrangement[] = (['gru', 'lstm', 'rnn'] as const).flatMap(
  (kind) =>
    ([1, 2] as const).flatMap((layers) =>
      yesNo.flatMap((both) =>
        yesNo.flatMap((timeFirst) =>
          yesNo.flatMap((fixed) =>
            (['sequence', 'last', 'final state'] as const).map((gives) => {
              return { kind, layers, bidirectional: both, timeFirst, fixed, gives }
            }),
          ),
        ),
      ),
    ),
)

export function nameOf(arrangement: Arrangement): string {
  const { kind, layers, gives } = arrangement
  return [
    `${layers} ${kind}`,
    ...(arrangement.bidirectional ? ['in both directions'] : []),
    ...(arrangement.timeFirst ? ['time first'] : []),
    ...(arrangement.fixed ? ['fixed extents'] : []),
    gives,
  ].join(', ')
}

const [ROWS, STEPS, FEATURES, UNITS] = [3, 7, 2, 4]
const gatesOf = { gru: 3, lstm: 4, rnn: 1 } as const
const layerOf = { gru: randomGru, lstm: randomLstm, rnn: randomRnn } as const

function modelOf(a: Arrangement, seed: number): Model {
  const width = a.bidirectional ? 2 * UNITS : UNITS
  const links = Array.from({ length: a.layers }, (_, i) => {
    const features = i === 0 ? FEATURES : width
    const returnSequences = i < a.layers - 1 || a.gives !== 'last'
    if (!a.bidirectional)
      return layerOf[a.kind](seed + i, features, UNITS, { returnSequences, name: `layer${i}` })
    const half = (of: number) => ({
      ...randomArrays(of, features, UNITS, gatesOf[a.kind]),
      returnSequences,
    })
    return bidirectional({
      name: `layer${i}`,
      cell: a.kind,
      forward: half(seed + 10 + i),
      backward: half(seed + 20 + i),
    } as Parameters<typeof bidirectional>[0])
  })
  const chain = sequential(links)
  const { nodes, outputs } = a.gives === 'final state' ? withFinalState(chain) : chain
  const rows = a.fixed ? ROWS : 'batch'
  const steps = a.fixed ? STEPS : 'time'
  const [{ name }] = chain.inputs
  return createModel({
    ...chain,
    nodes,
    inputs: [
      a.timeFirst
        ? { name, shape: [steps, rows, FEATURES], axes: [1, 0, 2] }
        : { name, shape: [rows, steps, FEATURES] },
    ],
    outputs: outputs.map((output) => ({
      name: output.name,
      value: output.value,
      ...(a.timeFirst && a.gives === 'sequence' && { axes: [1, 0, 2] }),
    })),
  })
}

/** The final state of the last layer is the output, as h_n in PyTorch; of both halves side by side. */
function withFinalState(model: Model): Pick<Model, 'nodes' | 'outputs'> {
  const last = model.nodes.filter(isRecurrent).at(-1)!
  const ends = model.nodes.filter((node) => isRecurrent(node) && node.inputs.x === last.inputs.x)
  const nodes = model.nodes
    .filter((node) => node.kind !== 'merge' || node !== model.nodes.at(-1))
    .map((node) =>
      ends.includes(node) ? { ...node, outputs: { state: `${node.name}.h_n` } } : node,
    )
  const states = ends.map((node) => `${node.name}.h_n`)
  if (states.length === 1) return { nodes, outputs: [{ name: 'y', shape: [], value: states[0] }] }
  const [left, right] = states
  return {
    nodes: [
      ...nodes,
      {
        kind: 'merge',
        mode: 'concatenate',
        name: 'h_n',
        inputs: { 0: left, 1: right },
        outputs: { y: 'h_n' },
        conventions: [],
      } as Model['nodes'][number],
    ],
    outputs: [{ name: 'y', shape: [], value: 'h_n' }],
  }
}

function inputOf(model: Model, seed: number): Named<Tensor> {
  const [{ name, shape }] = model.inputs
  const extents = shape.map((dim) =>
    dim === 'batch' ? ROWS : dim === 'time' ? STEPS : Number(dim),
  )
  return { [name]: tensor(random(seed), extents, 1.5) }
}

/** Everything that the table can do to a model; of values, one by a seed. */
export function mistakesFor(seed: number): readonly string[] {
  const next = random(seed)
  return (Object.keys(hypothesisTable) as readonly HypothesisName[]).flatMap((name) => {
    const entry: { readonly values: readonly string[]; readonly takes?: string } =
      hypothesisTable[name]
    if (entry.takes === 'count') return [`${name}=3`]
    const { values } = entry
    return [values.length === 0 ? name : `${name}=${values[Math.floor(next() * values.length)]}`]
  })
}

/** The outputs under quirks; null where the model or the run cannot have them. */
function outputs(model: Model, input: Named<Tensor>, quirks: readonly string[]): Tensor | null {
  try {
    const program = compileSync(applyQuirks(model, quirks), { precision: 'f64', engine: 'js' })
    const runs = quirks.filter((quirk) => changesRun(quirk))
    return Object.values(withRunQuirks(program, runs).predict(input))[0]
  } catch (error) {
    if (isGruvError(error)) return null
    throw error
  }
}

/** Mistakes that move the outputs by less are not shown by the data. */
const SEEN = 1e-5

/** Plants a mistake; what is wrong with the diagnosis, in words, or null; undefined where it is not seen. */
export function complaint(
  a: Arrangement,
  seed: number,
  mistake: string,
): string | null | undefined {
  const model = modelOf(a, seed)
  const input = inputOf(model, seed + 50)
  const right = outputs(model, input, [])!
  const expected = outputs(model, input, [mistake])
  if (expected === null || !(largestDistance(right.data, expected.data) > SEEN)) return undefined
  const { verdict, candidates } = diagnose(model, { input, expected, conventionFlags: false })
  if (verdict !== 'identified' && verdict !== 'ambiguous') return `${mistake}: ${verdict}`
  // Another reading of the same numbers is as good, if it is the same on every other input.
  const open = openExtents(model)
  const other = inputOf(open, seed + 60)
  const planted = outputs(open, other, [mistake])!
  const found = candidates.some(({ flags }) => {
    const quirks = [...flags.matchAll(/--quirk (?:"([^"]*)"|(\S+))/g)].map(([, q, s]) => q ?? s)
    const same = outputs(open, other, quirks)
    return same !== null && largestDistance(planted.data, same.data) < 1e-9
  })
  return found ? null : `${mistake}: ${candidates.map(({ flags }) => flags).join(' | ')}`
}
