/**
 * Other people's PyTorch, ONNX, audio and safetensors models on the command line. Here the numbers
 * are those of the API, bit for bit; the tests of each format prove that they are right. (Keras
 * models have this in `formats/keras-shared.test.ts`.)
 */

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parseJson } from '../../src/bytes/json/text.ts'
import { readData } from '../../src/data/index.ts'
import { compile, type LoadOptions, load } from '../../src/index.ts'
import type { Named, Tensor } from '../../src/tensor.ts'
import { gruv, temporaryFolder } from '../support/cli.ts'
import { sample } from '../support/sample.ts'
import { haveShared, sharedPath } from '../support/shared.ts'

interface Case {
  readonly title: string
  readonly path: string
  readonly options: LoadOptions
  /** The paths where the data of an input may be; the first that exists is taken. */
  readonly inputs: (port: string) => readonly string[]
}

interface Manifest {
  readonly gru_modules?: Named<object>
  readonly recurrent_modules?: Named<object>
}

/** Files of models that are run here, by their endings. */
const MODEL = /\.(pt|pth|onnx|rnnn|safetensors)$/

const scratch = temporaryFolder()

function casesOf(parent: string): Case[] {
  if (!haveShared) return []
  const found = readdirSync(sharedPath(parent), { withFileTypes: true })
  return found.flatMap((entry) => {
    if (!entry.isDirectory()) return []
    const { name } = entry
    const folder = sharedPath(join(parent, name))
    const files = readdirSync(folder)
    const manifest: Manifest & { readonly format?: string } = existsSync(
      join(folder, 'manifest.json'),
    )
      ? (parseJson(readFileSync(join(folder, 'manifest.json'), 'utf8')) as object)
      : {}
    const audio = /^(RTNeural|GuitarML)/.test(manifest.format ?? '')
    const file = files.find(
      (each) => MODEL.test(each) || (audio && /^(?!manifest).*\.json$/.test(each)),
    )
    if (file === undefined) return []
    const path = join(folder, file)
    const modules = Object.keys({ ...manifest.gru_modules, ...manifest.recurrent_modules })
    if (modules.length === 0) {
      const inputs = (port: string) => [`in_${port}.npy`, `${port}.npy`, 'x.npy']
      const inFolder = (port: string) => inputs(port).map((each) => join(folder, each))
      return [{ title: name, path, options: {}, inputs: inFolder }]
    }
    return modules.map((module) => ({
      title: `${name}: ${module}`,
      path,
      options: modules.length > 1 ? { module } : {},
      inputs: () => [join(folder, `${module.replaceAll('.', '_')}_x.npy`)],
    }))
  })
}

describe.skipIf(!haveShared)('models of others on the command line (beside the project)', () => {
  const cases = [...casesOf('models'), ...casesOf('vectors/ort-grid')]

  it('are there, of each kind', () => {
    for (const ending of ['pt', 'pth', 'onnx', 'rnnn', 'safetensors', 'json'])
      expect(
        cases.filter(({ path }) => path.endsWith(`.${ending}`)).length,
        ending,
      ).toBeGreaterThan(0)
  })

  it.each(sample(cases, 30))('$title', async ({ title, path, options, inputs }) => {
    const model = await load(path, options).catch((error: Error) => error)
    const module = options.module === undefined ? [] : ['--module', options.module]
    if (model instanceof Error) {
      // The command line refuses what the API refuses, with the same message.
      const { code, stderr } = await gruv(['inspect', path, ...module])
      expect(code).toBe(2)
      expect(stderr).toContain(model.message.slice(model.message.indexOf(': ') + 2))
      return
    }
    const fileOf = (port: string): string => inputs(port).find(existsSync)!
    const read = async (file: string): Promise<Named<Tensor>> =>
      (await readData(new Uint8Array(readFileSync(file)), file)).tensors
    const given: [string, Tensor][] = []
    for (const { name } of model.inputs)
      given.push([name, Object.values(await read(fileOf(name)))[0]])
    const results = (await compile(model)).predict(Object.fromEntries(given))
    const out = join(scratch, `${title.replaceAll(/\W/g, '-')}.npz`)
    const flags = model.inputs.flatMap(({ name }) => ['--input', `${name}=${fileOf(name)}`])
    const { code, stderr } = await gruv(['run', path, ...module, ...flags, '--output', out])
    expect(code, stderr).toBe(0)
    const written = await read(out)
    expect(Object.keys(written)).toEqual(Object.keys(results))
    for (const [name, { shape, data }] of Object.entries(results)) {
      expect(written[name].shape).toEqual(shape)
      expect(written[name].data).toEqual(data)
    }
  })
})
