/** Measures how far each mistake of the table moves the outputs of fixtures. */

import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { readNpy } from '../../src/bytes/numpy/npy.ts'
import { type Convention, conventionOf } from '../../src/diagnose/change.ts'
import {
  applyQuirks,
  changesRun,
  hypothesisTable,
  parseQuirk,
  withRunQuirks,
} from '../../src/diagnose/index.ts'
import { compileSync, load, type RunOptions } from '../../src/index.ts'
import type { GruNode, Model } from '../../src/model/index.ts'
import { readInputs } from '../../src/runtime/run/inputs.ts'
import { type Named, type Tensor, type TensorLike, toTensor } from '../../src/tensor.ts'
import { buildLayers, type LayerFixture, namedStates } from './layers.ts'
import {
  candleCases,
  kerasCases,
  onnxCases,
  type PeerCase,
  rtNeuralCases,
  webNnCases,
} from './peers.ts'
import { haveShared, sharedPath } from './shared.ts'

export interface Fixture {
  readonly name: string
  readonly model: Model
  readonly input: TensorLike
  readonly run: RunOptions
  /** The largest error that the comparison with the expected numbers lets pass. */
  readonly tolerance: number
}

export const FACTOR = 1000

/**
 * Every mistake that a GRU can have, with each of its values, on all layers. Roundings and what
 * happens once in a sequence are left out: they show that weights have digits, and no convention.
 */
export const mistakes: readonly string[] = Object.entries(hypothesisTable).flatMap(
  ([name, entry]: [string, { readonly values: readonly string[] }]) => {
    if ('alone' in entry || name === 'lstm-gate-order') return []
    return entry.values.length === 0 ? [name] : entry.values.map((value) => `${name}=${value}`)
  },
)

/** The layers of this project, compared in float64 to 1e-13 of the scale (`layers.test.ts`). */
export function ownFixtures(): readonly Fixture[] {
  const folder = fileURLToPath(new URL('../fixtures/layers/', import.meta.url))
  return readdirSync(folder)
    .sort()
    .flatMap((file) => JSON.parse(readFileSync(folder + file, 'utf8')) as readonly LayerFixture[])
    .map(({ name, layers, input, initialState, expected }) => ({
      name,
      model: buildLayers(layers),
      input,
      run: initialState === null ? {} : { initialState: namedStates(initialState) },
      tolerance: 1e-13 * Math.max(1, largest(toTensor(expected, name).data)),
    }))
}

/** The seed and the cases of other projects, where they exist, with their own tolerances. */
export async function sharedFixtures(): Promise<readonly Fixture[]> {
  if (!haveShared) return []
  const seed = (file: string): string => sharedPath(`vectors/seed/${file}`)
  const peers: readonly (readonly [string, readonly PeerCase[]])[] = [
    ['keras', kerasCases('keras')],
    ['tfjs', kerasCases('tfjs')],
    ['keras-js', kerasCases('keras-js')],
    ['webnn', webNnCases()],
    ['onnx', onnxCases()],
    ['candle', candleCases()],
    ['rtneural', rtNeuralCases()],
  ]
  return [
    {
      name: 'seed',
      model: await load(readFileSync(seed('GRUMatrices.npz'))),
      input: readNpy(readFileSync(seed('x.npy'))),
      run: {},
      tolerance: 1e-12,
    },
    ...peers.flatMap(([peer, cases]) =>
      cases.map(({ name, model, input, run = {}, expected, tolerance }) => ({
        name: `${peer}: ${name}`,
        model,
        input,
        run,
        tolerance: tolerance.atol + tolerance.rtol * largest(expected),
      })),
    ),
  ]
}

/** How far a mistake moves the outputs; null where it does not apply or is there already. */
export function moved(fixture: Fixture, mistake: string): number | null {
  const wrong = withMistake(fixture, mistake)
  if (wrong === null) return null
  const right = outputs(fixture, fixture.model, [])
  const actual = outputs(fixture, wrong, changesRun(mistake) ? [mistake] : [])
  if (actual.length !== right.length) return Number.POSITIVE_INFINITY
  return actual.reduce((worst, value, i) => {
    const difference = Object.is(value, right[i]) ? 0 : Math.abs(value - right[i])
    return Number.isNaN(difference) ? Number.POSITIVE_INFINITY : Math.max(worst, difference)
  }, 0)
}

/** The model with the mistake; null where it does not apply or is there already. */
export function withMistake({ model, input, run }: Fixture, mistake: string): Model | null {
  const { name, value } = parseQuirk(mistake)
  const entry: Partial<Record<'convention', Convention>> & { readonly title: string } =
    hypothesisTable[name]
  const key = entry.convention
  if (key !== undefined && gruLayers(model).every((node) => conventionOf(node, key) === value))
    return null
  const { batch, steps } = readInputs(model.inputs, input)
  const overTime = model.outputs.every(({ shape }) => shape.includes('time'))
  if (!(needs[name]?.({ batch, steps, overTime, run }) ?? true)) return null
  try {
    return applyQuirks(model, [mistake])
  } catch {
    return null
  }
}

interface Circumstances {
  readonly batch: number
  readonly steps: number
  readonly overTime: boolean
  readonly run: RunOptions
}

const plain = ({ mask, lengths }: RunOptions): boolean =>
  mask === undefined && lengths === undefined
const perRow = ({ initialState }: RunOptions): boolean => initialState !== undefined

/** Whether a change of a run has an effect; masks and states of rows do not fit other rows. */
const needs: Readonly<Record<string, (of: Circumstances) => boolean>> = {
  reversed: ({ steps, run }) => steps > 1 && plain(run),
  backwards: ({ steps, overTime, run }) => steps > 1 && overTime && plain(run),
  stateless: ({ steps, run }) => steps > 1 && plain(run) && !perRow(run),
  'time-batch-swapped': ({ batch, steps, overTime, run }) =>
    batch > 1 && steps > 1 && overTime && plain(run) && !perRow(run),
  'state-carried-over-rows': ({ batch, overTime, run }) =>
    batch > 1 && overTime && plain(run) && !perRow(run),
  'initial-state-ignored': ({ run }) => perRow(run),
}

export function gruLayers(model: Model): readonly GruNode[] {
  return model.nodes.filter((node) => node.kind === 'gru')
}

function outputs(
  { input, run }: Fixture,
  model: Model,
  quirks: readonly string[],
): readonly number[] {
  const program = compileSync(model, { precision: 'f64', engine: 'js' })
  const results: Named<Tensor> = withRunQuirks(program, quirks).predict(input, run)
  return Object.values(results).flatMap(({ data }) => Array.from(data))
}

function largest(values: ArrayLike<number>): number {
  let found = 0
  for (let i = 0; i < values.length; i++) found = Math.max(found, Math.abs(values[i]))
  return found
}
