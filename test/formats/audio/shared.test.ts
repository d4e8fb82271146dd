/** Tests audio models and safetensors files beside the project: a new case is a new folder. */

import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parseJson } from '../../../src/bytes/json/text.ts'
import { readData } from '../../../src/data/index.ts'
import { compileSync, compose, load, type Model } from '../../../src/index.ts'
import { runReference } from '../../../src/runtime/reference/index.ts'
import type { Named, Tensor } from '../../../src/tensor.ts'
import { haveShared, sharedCases, sharedPath } from '../../support/shared.ts'

const models = sharedPath('models')
const engines = ['reference', 'f64', 'f32'] as const

/** How far the manifest's float32 framework is off; chaotic outputs are compared only as long as they agree. */
interface Manifest {
  readonly format?: string
  readonly note?: string
  readonly max_diff?: number
  readonly max_diff_torch_float32?: number
  readonly max_diff_np64_torch32?: number
  readonly recurrent_modules?: Readonly<Record<string, { max_diff_torch_float32?: number }>>
}

const CALM_STEPS = 40

function foldersOf(format: RegExp): readonly string[] {
  if (!haveShared || !existsSync(models)) return []
  return readdirSync(models).filter((name) => {
    const file = join(models, name, 'manifest.json')
    return (
      statSync(join(models, name)).isDirectory() &&
      existsSync(file) &&
      format.test(manifestOf(name).format ?? '')
    )
  })
}

function manifestOf(folder: string): Manifest {
  return parseJson(readFileSync(join(models, folder, 'manifest.json'), 'utf8')) as Manifest
}

function theFile(folder: string, ending: RegExp): string {
  const [file] = readdirSync(join(models, folder)).filter(
    (name) => ending.test(name) && name !== 'manifest.json',
  )
  return join(models, folder, file)
}

async function tensorAt(path: string): Promise<Tensor> {
  const { tensors } = await readData(new Uint8Array(readFileSync(path)), path)
  return Object.values(tensors)[0]
}

function run(model: Model, engine: (typeof engines)[number], x: Tensor): Named<Tensor> {
  const input = { [model.inputs[0].name]: x }
  if (engine === 'reference') return runReference(model, input).outputs
  return compileSync(model, { precision: engine }).predict(input)
}

/** Compares the first numbers only, where a count is given. */
function expectClose(got: Tensor, expected: Tensor, float32: number | null, first?: number): void {
  expect(got.data.length).toBe(expected.data.length)
  const count = first ?? expected.data.length
  let off = 0
  let scale = 0
  for (let i = 0; i < count; i++) {
    const difference = Math.abs(got.data[i] - expected.data[i])
    if (!(difference <= off)) off = difference
    scale = Math.max(scale, Math.abs(expected.data[i]))
  }
  const bound = float32 === null ? 1e-8 * scale : Math.max(2e-5 * scale, 4 * float32)
  expect(off).toBeLessThanOrEqual(bound)
}

describe.skipIf(!haveShared)('audio models of other people (beside the project)', () => {
  const chains = [...foldersOf(/^RTNeural/), ...foldersOf(/^GuitarML/)]
  for (const folder of chains) {
    it.each(engines)(`${folder}, %s`, async (engine) => {
      const manifest = manifestOf(folder)
      const model = await load(theFile(folder, /\.json$/))
      const y = run(model, engine, await tensorAt(join(models, folder, 'x.npy')))
      const expected = await tensorAt(join(models, folder, 'y_float64.npy'))
      const chaotic = /chaotic/.test(manifest.note ?? '')
      const float32 = chaotic ? 0 : (manifest.max_diff ?? manifest.max_diff_torch_float32 ?? 0)
      expectClose(
        y.y,
        expected,
        engine === 'f32' ? float32 : null,
        chaotic && engine === 'f32' ? CALM_STEPS : undefined,
      )
    })
  }

  for (const folder of foldersOf(/^rnnoise/)) {
    it.each(engines)(`${folder}, %s`, async (engine) => {
      const model = await load(theFile(folder, /\.rnnn$/))
      const outputs = run(model, engine, await tensorAt(join(models, folder, 'x.npy')))
      const float32 = manifestOf(folder).max_diff_np64_torch32 ?? 0
      for (const name of ['gains', 'vad']) {
        const expected = await tensorAt(join(models, folder, `rnnn_${name}_float64.npy`))
        expectClose(outputs[name], expected, engine === 'f32' ? float32 : null)
      }
    })
  }

  for (const folder of foldersOf(/^safetensors/)) {
    const { recurrent_modules = {} } = manifestOf(folder)
    const path = (file: string): string => join(models, folder, file)
    for (const [module, { max_diff_torch_float32 = 0 }] of Object.entries(recurrent_modules)) {
      it.each(engines)(`${folder}, ${module}, %s`, async (engine) => {
        const model = await load(theFile(folder, /\.safetensors$/), { module })
        const { y } = run(model, engine, await tensorAt(path(`${module}_x.npy`)))
        const expected = await tensorAt(path(`${module}_out_float64.npy`))
        expectClose(y, expected, engine === 'f32' ? max_diff_torch_float32 : null)
      })
    }
  }

  it.each(engines)('st-instrument-gru, wired, %s', async (engine) => {
    const folder = join(models, 'st-instrument-gru')
    const wiring = compose(['gru', 'last', 'fc'])
    const model = await load(join(folder, 'model.safetensors'), { wiring })
    const { y } = run(model, engine, await tensorAt(join(folder, 'gru_x.npy')))
    const expected = await tensorAt(join(folder, 'y_last_fc_float64.npy'))
    expectClose(y, expected, engine === 'f32' ? 0 : null)
  })
})

interface GoldenCase {
  readonly name: string
  readonly model: string
  readonly x: string
  readonly y: string
  readonly layout?: string
}

describe.skipIf(!haveShared)('RTNeural’s own test vectors (beside the project)', () => {
  it.each(sharedCases<GoldenCase>('vectors/rtneural/cases.json'))(
    '$name',
    async ({ model: file, x, y, layout }) => {
      const path = (name: string): string => sharedPath(`vectors/rtneural/${name}`)
      const wiring = compose(['gru', 'gru2', 'dense'])
      const model = await load(path(file), layout === undefined ? {} : { wiring })
      const input = await tensorAt(path(x))
      const expected = await tensorAt(path(y))
      const got = compileSync(model, { precision: 'f64' }).predict({
        x: { shape: [input.data.length, 1], data: input.data },
      })
      // Computed in float32 by the frameworks: RTNeural's tests allow 2e-6 and more.
      const off = expected.data.map((each, i) => Math.abs(each - got.y.data[i]))
      expect(Math.max(...off)).toBeLessThan(2e-6)
    },
  )
})
