/** Tests every Keras, TF.js and SavedModel folder beside the project: a new case is a new folder. */

import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parseJson } from '../../src/bytes/json/text.ts'
import { readData } from '../../src/data/index.ts'
import { compileSync, isGruvError, load, type Model } from '../../src/index.ts'
import { runReference } from '../../src/runtime/reference/index.ts'
import type { Named, Tensor } from '../../src/tensor.ts'
import { gruv, temporaryFolder } from '../support/cli.ts'
import { sample } from '../support/sample.ts'
import { haveShared, sharedPath } from '../support/shared.ts'

interface Reference {
  readonly input: string | readonly string[]
  /** Beside several inputs: the names of the layers that take them. */
  readonly input_names?: readonly string[]
  readonly outputs: Readonly<Record<string, string>>
  readonly max_abs_diff_np64_vs_torch32?: number
}

interface Case {
  readonly title: string
  readonly path: string
  readonly layer?: string
  readonly inputs: readonly string[]
  /** The ports that the inputs go to, where the manifest says so. */
  readonly ports?: readonly string[]
  readonly outputs: readonly string[]
  /** The output of TF.js for the same input; none where it cannot run the model. */
  readonly tfjs?: string
  /** How far the manifest's float32 framework is off. */
  readonly float32: number
}

const models = sharedPath('models')
const scratch = temporaryFolder()
const kerasFile = /\.(h5|hdf5|keras)$/
const folderFile = /^(model\.json|saved_model\.pb|checkpoint)$/

/** Folders with a model of Keras, by the files in them. */
function folders(): readonly string[] {
  if (!haveShared || !existsSync(models)) return []
  return readdirSync(models).filter(
    (name) => statSync(join(models, name)).isDirectory() && modelsIn(name).length > 0,
  )
}

/** Models of one file by that file; models of several files by their folder. */
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
        const tfjs = files.find((name) => name.startsWith('y_tfjs'))
        cases.push({
          title: `${title}, ${inputs[0]}`,
          path,
          inputs: inputs.map(file),
          ...(reference.input_names && inputs.length > 1 && { ports: reference.input_names }),
          ...(tfjs !== undefined && { tfjs: file(tfjs) }),
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
    const casesOf = new Map(folders().map((folder) => [folder, casesIn(folder)]))
    // The engines run every model; the reference, which takes long, and the command line some.
    const chosen = new Set(sample([...casesOf.values()].flat(), 25))
    for (const [folder, cases] of casesOf) {
      if (cases.length === 0) {
        it.each(modelsIn(folder))('%s is refused clearly', async (path) => {
          const error = await load(path).catch((caught: unknown) => caught)
          expect(isGruvError(error) && error.code).toBe('unsupported')
          expect((error as Error).message).toMatch(/Lambda/)
        })
        continue
      }
      for (const each of cases) {
        const { title, path, layer, inputs, outputs, float32, tfjs } = each
        if (isExport(path)) {
          it(`${title} is refused clearly`, async () => {
            await expect(load(path)).rejects.toThrow(
              /does not say which layers it has.*\.keras or \.h5/,
            )
          })
          continue
        }
        const options = layer === undefined ? {} : { layer }
        /** 1e-8 of the scale, and four times what another float32 framework is off. */
        const agrees = async (
          results: Named<Tensor>,
          names: readonly string[],
          precise: boolean,
        ): Promise<void> => {
          expect(names).toHaveLength(outputs.length)
          for (const [i, output] of outputs.entries()) {
            const { off, scale } = compare(results[names[i]], await tensor(output))
            const bound = precise ? 1e-8 * scale : Math.max(2e-5 * scale, 4 * float32)
            expect(off, `output ${i}`).toBeLessThanOrEqual(bound)
          }
        }
        const inThese = chosen.has(each) ? engines : (['f64', 'f32'] as const)
        it.each(inThese)(`${title}, %s`, async (engine) => {
          const model = await load(path, options)
          const results = run(model, engine, await inputsOf(model, each))
          const names = model.outputs.map(({ name }) => name)
          await agrees(results, names, engine !== 'f32')
        })
        // Once for each file, and for each layer that is chosen from one.
        const first = each === cases.find((other) => other.path === path)
        if (chosen.has(each) && (first || layer !== undefined)) {
          it(`${title}, on the command line`, async () => {
            const model = await load(path, options)
            const ports = portsOf(model, each)
            const given = inputs.flatMap((input, i) => ['--input', `${ports[i]}=${input}`])
            const chosen = layer === undefined ? [] : ['--layer', layer]
            for (const precision of ['f64', 'f32'] as const) {
              const out = join(scratch, `${basename(path)}-${precision}.npz`)
              const args = ['run', path, ...given, ...chosen, '--precision', precision]
              const { code, stderr } = await gruv([...args, '--output', out])
              expect([code, stderr.includes('error')], stderr).toEqual([0, false])
              const { tensors } = await readData(new Uint8Array(readFileSync(out)), out)
              const names = model.outputs.map(({ name }) => name)
              await agrees(tensors, names, precision === 'f64')
            }
          })
        }
        if (tfjs === undefined) continue
        // In float64, so the difference is the error of TF.js itself, in float32.
        it(`${title}, as TF.js has it`, async () => {
          const model = await load(path, options)
          const theirs = [JSON.parse(readFileSync(tfjs, 'utf8')) as Tensor | Tensor[]].flat()
          for (const engine of ['reference', 'f64'] as const) {
            const results = run(model, engine, await inputsOf(model, each))
            for (const [i, { name }] of model.outputs.entries()) {
              const { off, scale } = compare(results[name], theirs[i])
              expect(off, `output ${name}, ${engine}`).toBeLessThanOrEqual(
                1e-6 * Math.max(1, scale),
              )
            }
          }
        })
      }
    }
  },
)

/** A SavedModel of operations alone, as `model.export` of Keras 3 writes it. */
function isExport(path: string): boolean {
  return existsSync(join(path, 'saved_model.pb')) && !existsSync(join(path, 'keras_metadata.pb'))
}

function portsOf(model: Model, { inputs, ports }: Case): readonly string[] {
  const own = model.inputs.map(({ name }) => name)
  expect(own).toHaveLength(inputs.length)
  return ports?.every((port) => own.includes(port)) ? ports : own
}

async function inputsOf(model: Model, each: Case): Promise<Named<Tensor>> {
  const given: Record<string, Tensor> = {}
  const ports = portsOf(model, each)
  for (const [i, input] of each.inputs.entries()) given[ports[i]] = await tensor(input)
  return given
}
