/** Every Keras, TF.js and SavedModel folder beside the project: a new case is a new folder. */

import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parseJson } from '../../src/bytes/json-text.ts'
import { readData } from '../../src/data/index.ts'
import { compileSync, isGruvError, load, type Model } from '../../src/index.ts'
import { runReference } from '../../src/runtime/reference.ts'
import type { Named, Tensor } from '../../src/tensor.ts'
import { haveShared, sharedPath } from '../support/shared.ts'

interface Reference {
  readonly input: string | readonly string[]
  readonly outputs: Readonly<Record<string, string>>
  readonly max_abs_diff_np64_vs_torch32?: number
}

interface Case {
  readonly title: string
  readonly path: string
  readonly layer?: string
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  /** How far the manifest's float32 framework is off. */
  readonly float32: number
}

const models = sharedPath('models')
const kerasFile = /\.(h5|hdf5|keras)$/
const folderFile = /^(model\.json|saved_model\.pb|checkpoint)$/

/** Folders with a model of Keras, by the files in them. */
function folders(): readonly string[] {
  if (!haveShared || !existsSync(models)) return []
  return readdirSync(models).filter(
    (name) => statSync(join(models, name)).isDirectory() && modelsIn(name).length > 0,
  )
}

/** Files of one piece by themselves; models of several files by their folder. */
function modelsIn(folder: string): readonly string[] {
  const files = readdirSync(join(models, folder))
  const whole = files.some((file) => folderFile.test(file)) ? [join(models, folder)] : []
  return [
    ...files.filter((file) => kerasFile.test(file)).map((file) => join(models, folder, file)),
    ...whole,
  ]
}

function casesIn(folder: string): readonly Case[] {
  const file = (name: string): string => join(models, folder, name)
  const manifest = parseJson(readFileSync(file('manifest.json'), 'utf8')) as {
    references?: unknown
  }
  const files = readdirSync(join(models, folder))
  const cases: Case[] = []
  for (const path of modelsIn(folder)) {
    const title = path.slice(models.length + 1)
    if (Array.isArray(manifest.references)) {
      for (const reference of manifest.references as readonly Reference[]) {
        const inputs = [reference.input].flat()
        cases.push({
          title: `${title}, ${inputs[0]}`,
          path,
          inputs: inputs.map(file),
          outputs: Object.keys(reference.outputs)
            .filter((name) => name.endsWith('_float64.npy'))
            .map(file),
          float32: reference.max_abs_diff_np64_vs_torch32 ?? 0,
        })
      }
    } else if (typeof manifest.references === 'object' && manifest.references !== null) {
      for (const [name, { h5_group: layer }] of Object.entries(
        manifest.references as Record<string, { h5_group: string }>,
      )) {
        const outputs = [file(`${name}_seq_float64.npy`)]
        cases.push({
          title: `${title}, ${layer}`,
          path,
          layer,
          inputs: [file(`${name}_x.npy`)],
          outputs,
          float32: 0,
        })
      }
    } else if (files.includes('hdf5_gains_float64.npy')) {
      const outputs = ['hdf5_gains_float64.npy', 'hdf5_vad_float64.npy'].map(file)
      cases.push({ title, path, inputs: [file('x.npy')], outputs, float32: 0 })
    }
  }
  return cases.filter(({ inputs, outputs }) =>
    [...inputs, ...outputs].every((each) => existsSync(each)),
  )
}

async function tensor(path: string): Promise<Tensor> {
  const { tensors } = await readData(new Uint8Array(readFileSync(path)), path)
  return Object.values(tensors)[0]
}

/** The largest difference, and the largest number of the expected ones. */
function compare(got: Tensor, expected: Tensor): { readonly off: number; readonly scale: number } {
  expect(got.data.length).toBe(expected.data.length)
  let off = 0
  let scale = 0
  for (let i = 0; i < expected.data.length; i++) {
    if (Number.isNaN(expected.data[i])) {
      expect(got.data[i], `number ${i}`).toBeNaN()
      continue
    }
    const difference = Math.abs(got.data[i] - expected.data[i])
    off = difference > off || Number.isNaN(difference) ? difference : off
    scale = Math.max(scale, Math.abs(expected.data[i]))
  }
  return { off, scale }
}

const engines = ['reference', 'f64', 'f32'] as const

function run(model: Model, engine: (typeof engines)[number], inputs: Named<Tensor>): Named<Tensor> {
  if (engine === 'reference') return runReference(model, inputs).outputs
  return compileSync(model, { precision: engine }).predict(inputs)
}

describe.skipIf(!haveShared)(
  'Keras models of other people (beside the project, absent here)',
  () => {
    for (const folder of folders()) {
      const cases = casesIn(folder)
      if (cases.length === 0) {
        it.each(modelsIn(folder))('%s is refused clearly', async (path) => {
          const error = await load(path).catch((caught: unknown) => caught)
          expect(isGruvError(error) && error.code).toBe('unsupported')
          expect((error as Error).message).toMatch(/Lambda/)
        })
        continue
      }
      for (const { title, path, layer, inputs, outputs, float32 } of cases) {
        if (folder === 'sm-lung-gru-export') {
          it(`${title} is refused clearly`, async () => {
            await expect(load(path)).rejects.toThrow(
              /does not say which layers it has.*\.keras or \.h5/,
            )
          })
          continue
        }
        it.for(engines)(`${title}, %s`, async (engine, { skip }) => {
          const model = await load(path, layer === undefined ? {} : { layer })
          expect(model.inputs).toHaveLength(inputs.length)
          expect(model.outputs).toHaveLength(outputs.length)
          const given: Record<string, Tensor> = {}
          for (const [i, input] of inputs.entries())
            given[model.inputs[i].name] = await tensor(input)
          const results = await ranOrPending(() => run(model, engine, given), skip)
          for (const [i, output] of outputs.entries()) {
            const { off, scale } = compare(results[model.outputs[i].name], await tensor(output))
            const bound = engine === 'f32' ? Math.max(2e-5 * scale, 4 * float32) : 1e-8 * scale
            expect(off, `output ${i}`).toBeLessThanOrEqual(bound)
          }
        })
      }
    }
  },
)

/** A layer that an engine does not have yet is the one thing that may be missing. */
async function ranOrPending<T>(run: () => T, skip: (note: string) => never): Promise<T> {
  try {
    return run()
  } catch (error) {
    if (isGruvError(error) && error.code === 'unsupported') return skip(error.message)
    throw error
  }
}
