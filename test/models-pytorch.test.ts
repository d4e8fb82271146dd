/**
 * Trained PyTorch models as people published them: every module of every file, as a layer of its
 * own, and the few whole networks whose wiring is known. A new folder is found by its name.
 */

import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { readNpy } from '../src/bytes/numpy/npy.ts'
import {
  compile,
  compose,
  load,
  type Model,
  type RunOptions,
  type WiringStep,
} from '../src/index.ts'
import type { Named, Tensor } from '../src/tensor.ts'
import { haveShared, sharedPath } from './support/shared.ts'

interface Manifest {
  readonly gru_modules?: Named<object>
  readonly recurrent_modules?: Named<object>
}

const root = sharedPath('models/')
const folders = haveShared ? readdirSync(root).filter((name) => /(^pt-|-pt$)/.test(name)) : []

function array(path: string): Tensor {
  return readNpy(new Uint8Array(readFileSync(root + path)))
}

function modelFile(folder: string): string {
  const name = readdirSync(root + folder).find((each) => /\.(pt|pth|pkl)$/.test(each))
  return `${root}${folder}/${name}`
}

function scaleOf({ data }: Tensor): number {
  let most = 0
  for (const y of data) most = Math.max(most, Math.abs(y))
  return most
}

function difference(a: Tensor, b: Tensor): number {
  expect(a.data.length).toBe(b.data.length)
  let most = 0
  a.data.forEach((y, i) => {
    // Math.max would let a NaN through in one place and not in the other.
    const off = Math.abs(y - b.data[i])
    most = off <= most ? most : off
  })
  return most
}

/** float64 to 1e-8 of the scale; float32 to 2e-5 of it, or four times what another float32 is off. */
async function agrees(
  model: Model,
  x: Tensor,
  expected: Tensor,
  float32: Tensor | null,
  run: RunOptions = {},
  statesExpected: readonly Tensor[] = [],
): Promise<void> {
  const scale = scaleOf(expected)
  for (const precision of ['f64', 'f32'] as const) {
    const program = await compile(model, { precision })
    const states = program.states.map(({ name }) => name)
    const results = program.predict(x, { ...run, outputs: ['y', ...states] })
    const others = float32 === null ? 0 : difference(float32, expected)
    const tolerance = precision === 'f64' ? 1e-8 * scale : Math.max(2e-5 * scale, 4 * others)
    expect(results.y.shape.filter((n) => n !== 1)).toEqual(expected.shape.filter((n) => n !== 1))
    expect(difference(results.y, expected), precision).toBeLessThanOrEqual(tolerance)
    // h_n is [layers·directions, batch, units], in the order of the states here; then c_n.
    for (const [kind, whole] of statesExpected.entries()) {
      const own = states.filter((name) => name.endsWith(kind === 0 ? '.h' : '.c'))
      const size = whole.data.length / own.length
      own.forEach((name, i) => {
        const part = { ...whole, data: whole.data.subarray(i * size, (i + 1) * size) }
        const room = tolerance * Math.max(1, scaleOf(part) / scale)
        expect(difference(results[name], part), `${name}, ${precision}`).toBeLessThanOrEqual(room)
      })
    }
  }
}

describe.skipIf(!haveShared)('PyTorch models (beside the project, absent here)', () => {
  it('are there', () => {
    expect(folders.length).toBeGreaterThan(10)
  })

  for (const folder of folders) {
    const manifest: Manifest = JSON.parse(readFileSync(`${root}${folder}/manifest.json`, 'utf8'))
    const modules = { ...manifest.gru_modules, ...manifest.recurrent_modules }
    const files = new Set(readdirSync(root + folder))
    const several = Object.keys(modules).length > 1

    for (const name of Object.keys(modules)) {
      const prefix = name.replaceAll('.', '_')
      const one = (suffix: string): Tensor | null =>
        files.has(`${prefix}_${suffix}.npy`) ? array(`${folder}/${prefix}_${suffix}.npy`) : null
      const options = several ? { module: name } : {}

      if (one('h1_float64') === null) {
        it(`${folder}: ${name}`, async () => {
          const states = [one('hn_float64'), one('cn_float64')].filter((each) => each !== null)
          expect(states.length).toBeGreaterThan(0)
          const model = await load(modelFile(folder), options)
          const y = one('out_float64')!
          await agrees(model, one('x')!, y, one('out_torch_float32'), {}, states)
        })
      } else {
        it(`${folder}: ${name}, a cell, one step from a state`, async () => {
          const model = await load(modelFile(folder), options)
          const x = one('x')!
          const step = { ...x, shape: [x.shape[0], 1, x.shape[1]] }
          const state = { initialState: one('h0')! }
          await agrees(model, step, one('h1_float64')!, one('h1_torch_float32'), state)
        })
      }
    }

    if (Object.keys(modules).length === 0) {
      it(`${folder} is refused, with what it is and what to do`, async () => {
        const error = await load(modelFile(folder)).catch((caught: unknown) => caught)
        expect(`${error}`).toMatch(/Python pickle.*_load_from_bytes.*torch\.save\(/)
      })
    }
  }

  it.each<[string, string, string, string, readonly WiringStep[]]>([
    [
      'fall-detection-pt',
      'x_real.npy',
      '',
      'logits_torch_float32.npy',
      [
        'gru',
        'last',
        'bn',
        { module: 'fc1', activation: 'relu' },
        { module: 'fc2', activation: 'relu' },
        'fc3',
      ],
    ],
    ['pt-instrument-gru-legacy', 'gru_x.npy', 'y_last_fc_float64.npy', '', ['gru', 'last', 'fc']],
    [
      'pt-marl-grucell-legacy',
      'x_full.npy',
      'q_full_float64.npy',
      '',
      ['fc1', 'relu', 'rnn', 'fc2'],
    ],
  ])('%s, the whole network, wired', async (folder, x, float64, float32, steps) => {
    const model = await load(modelFile(folder), { wiring: compose(steps) })
    const input = array(`${folder}/${x}`)
    if (float64 !== '') return agrees(model, input, array(`${folder}/${float64}`), null)
    // Only float32 is known: two float32 results may each be that far off.
    const expected = array(`${folder}/${float32}`)
    const program = await compile(model)
    const { y } = program.predict(input)
    expect(difference(y, expected)).toBeLessThanOrEqual(2e-5 * scaleOf(expected))
  })
})
