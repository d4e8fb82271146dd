/** Tests the project's own Keras files (tools/make_keras_fixtures.py): every reader and layer, and refusals. */

import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  compileSync,
  type GruvError,
  isGruvError,
  type LoadOptions,
  load,
  type Model,
  type NestedNumbers,
} from '../../src/index.ts'
import { runReference } from '../../src/runtime/reference/index.ts'
import { type Named, type Tensor, toTensor } from '../../src/tensor.ts'
import { errorOf } from '../support/errors.ts'
import { flipBytes, put } from '../support/fuzz.ts'
import { few } from '../support/sample.ts'

interface Case {
  readonly file: string
  readonly options: LoadOptions
  readonly inputs: Readonly<Record<string, NestedNumbers>>
  readonly outputs: readonly NestedNumbers[]
}

const folder = fileURLToPath(new URL('../fixtures/keras/', import.meta.url))
/** Besides the project's own, those of tools/make_keras_random.py, where a folder of them is named. */
const cases = [folder, process.env.GRUV_KERAS_CASES]
  .filter((from) => from !== undefined)
  .flatMap((from) =>
    (JSON.parse(readFileSync(join(from, 'cases.json'), 'utf8')) as readonly Case[]).map((each) => ({
      ...each,
      from,
    })),
  )

type Run = (model: Model, inputs: Named<Tensor>) => Named<Tensor>

/** Float32 rounds some hundred operations one after the other, on numbers of a few units. */
const runs: readonly (readonly [string, Run, number])[] = [
  ['reference', (model, inputs) => runReference(model, inputs).outputs, 1e-12],
  ['f64', (model, inputs) => compileSync(model, { precision: 'f64' }).predict(inputs), 1e-12],
  ['f32', (model, inputs) => compileSync(model).predict(inputs), 2e-5],
]

describe('files with the numbers of PyTorch', () => {
  for (const { from, file, options, inputs, outputs } of cases) {
    it.each(runs)(`${file}, %s`, async (_, run, bound) => {
      const model = await load(join(from, file), options)
      const given = Object.fromEntries(
        Object.entries(inputs).map(([name, value]) => [name, toTensor(value, name)] as const),
      )
      expect(model.inputs.map(({ name }) => name)).toEqual(Object.keys(given))
      const results = run(model, given)
      expect(model.outputs).toHaveLength(outputs.length)
      for (const [i, { name }] of model.outputs.entries()) {
        const expected = toTensor(outputs[i], name)
        const got = results[name]
        expect(got.shape, name).toEqual(expected.shape)
        const scale = Math.max(1, ...Array.from(expected.data, Math.abs))
        expected.data.forEach((value, at) => {
          expect(Math.abs(got.data[at] - value), `${name}, number ${at}`).toBeLessThan(
            bound * scale,
          )
        })
      }
    })
  }
})

const text = readFileSync(`${folder}tfjs-float32/model.json`, 'utf8')
const shards = Object.fromEntries(
  [1, 2].map((i) => {
    const name = `group1-shard${i}of2.bin`
    return [name, new Uint8Array(readFileSync(`${folder}tfjs-float32/${name}`))] as const
  }),
)

interface Json {
  modelTopology: { model_config: { config: { layers: LayerJson[]; output_layers: unknown } } }
  weightsManifest: { paths: string[]; weights: { shape: number[] }[] }[]
}

interface LayerJson {
  class_name: string
  config: Record<string, unknown>
}

/** The TF.js fixture with another description. */
function changed(change: (json: Json) => void, options: LoadOptions = {}): Promise<Model> {
  const json = JSON.parse(text) as Json
  change(json)
  return load({ 'model.json': new TextEncoder().encode(JSON.stringify(json)), ...shards }, options)
}

describe('what a file says', () => {
  it('a shared layer is two nodes with the same arrays', async () => {
    const { nodes } = await load(`${folder}around-3.8.keras`)
    const shared = nodes.filter(({ name }) => name.startsWith('shared'))
    expect(shared.map(({ name }) => name)).toEqual(['shared', 'shared#2'])
    const [one, two] = shared.map((node) => (node.kind === 'dense' ? node.weights.kernel : null))
    expect(one).toBe(two)
  })

  it('a fixed number of steps is open where no layer depends on it', async () => {
    expect((await load(`${folder}tfjs-float32`)).inputs[0].shape).toEqual(['batch', 'time', 3])
    expect((await load(`${folder}around-2.15.h5`)).inputs[0].shape).toEqual(['batch', 6, 4])
  })

  it('hard_sigmoid has the slope of its version', async () => {
    for (const [version, slope] of [
      ['2.15', 0.2],
      ['3.8', 1 / 6],
    ] as const) {
      const { nodes } = await load(`${folder}recurrent-${version}.h5`)
      const node = nodes.find(({ name }) => name === 'zeros')
      expect(node?.kind === 'gru' && node.recurrentActivation.parameters[0]).toBe(slope)
    }
  })

  it('states each convention with its ground', async () => {
    const { nodes } = await load(`${folder}recurrent-2.15.h5`)
    const reset = nodes
      .find(({ name }) => name === 'gru')
      ?.conventions.find(({ key }) => key === 'reset')
    expect(reset).toMatchObject({ value: 'after', origin: 'stated' })
  })

  it('weights alone assume their activations, and say so', async () => {
    const model = await load(`${folder}bare.h5`, { layer: 'gru' })
    const origins = model.nodes[0].conventions.map(({ key, origin }) => [key, origin])
    expect(origins).toContainEqual(['activation', 'assumed'])
    expect(model.warnings.join()).toMatch(/without a configuration.*not used: both, head/)
  })

  it('a mask that ends is told', async () => {
    const { warnings } = await changed(({ modelTopology }) => {
      const { layers } = modelTopology.model_config.config
      layers[0] = { ...layers[0] }
      layers.splice(1, 0, layerJson('Masking', 'mask', layers[0].config.name as string))
      relink(layers[2], 'mask')
      layers.splice(2, 0, layerJson('ZeroPadding1D', 'pad', 'mask', { padding: 1 }))
      relink(layers[3], 'pad')
    })
    expect(warnings.join()).toContain('the mask of the steps ends at pad')
  })
})

it('a mask that Keras 3 computes in the graph arrives at its layer', async () => {
  const model = await changed(
    ({ modelTopology }) => {
      const { layers } = modelTopology.model_config.config
      const tensor = (name: unknown): unknown => ({
        class_name: '__keras_tensor__',
        config: { shape: [null, 4, 3], dtype: 'float32', keras_history: [name, 0, 0] },
      })
      const operation = (kind: string, name: string, args: unknown[], kwargs = {}): LayerJson =>
        Object.assign(layerJson(kind, name, ''), {
          module: 'keras.src.ops.numpy',
          inbound_nodes: [{ args, kwargs }],
        })
      const input = layers[0].config.name
      layers.push(operation('NotEqual', 'not_equal', [tensor(input), 0]))
      layers.push(operation('Any', 'any', [tensor('not_equal')], { axis: -1 }))
      const kwargs = { mask: tensor('any'), training: false }
      Object.assign(layers[1], { inbound_nodes: [{ args: [tensor(input)], kwargs }] })
    },
    { until: 'gru' },
  )
  const x = toTensor(
    [
      [
        [1, 2, 3],
        [0, 0, 0],
        [1, 0, 1],
        [0, 0, 0],
      ],
    ],
    'x',
  )
  const { y } = runReference(model, { x }).outputs
  const [one, two, three] = [0, 1, 2].map((step) => [...y.data.slice(4 * step, 4 * step + 4)])
  expect(two).toEqual(one)
  expect(three).not.toEqual(one)
})

function layerJson(kind: string, name: string, input: string, config = {}): LayerJson {
  const layer = { class_name: kind, name, config: { name, ...config } }
  return Object.assign(layer, { inbound_nodes: [[[input, 0, 0, {}]]] })
}

function relink(layer: LayerJson, input: string): void {
  Object.assign(layer, { inbound_nodes: [[[input, 0, 0, {}]]] })
}

describe('what is refused', () => {
  it('every unsupported layer in one message, with the layer to stop at', async () => {
    const error = await errorOf(() =>
      changed(({ modelTopology }) => {
        const { layers } = modelTopology.model_config.config
        layers.push(layerJson('Lambda', 'mine', 'head'), layerJson('Turbo', 'yours', 'mine'))
        modelTopology.model_config.config.output_layers = [['yours', 0, 0]]
      }),
    )
    expect(error.code).toBe('unsupported')
    expect(error.message).toMatch(/2 layers.*'mine' \(Lambda: .*never run\); 'yours' \(Turbo/)
    expect(error.fix).toContain('--until head')
  })

  it('until: the same model up to the layer before', async () => {
    const model = await changed(
      ({ modelTopology }) => {
        const { layers } = modelTopology.model_config.config
        layers.push(layerJson('Lambda', 'mine', 'head'))
        modelTopology.model_config.config.output_layers = [['mine', 0, 0]]
      },
      { until: 'gru' },
    )
    expect(model.outputs[0].shape).toEqual(['batch', 'time', 4])
  })

  it.each<[string, () => Promise<Model>, RegExp]>([
    [
      'a layer to end at that is not there',
      () => changed(() => {}, { until: 'x' }),
      /one of .*gru, head/,
    ],
    [
      'a layer to take from a whole model',
      () => changed(() => {}, { layer: 'gru' }),
      /layer cannot be set/,
    ],
    [
      'conventions of a file that states them',
      () => changed(() => {}, { conventions: { reset: 'before' } }),
      /reset cannot be set/,
    ],
    ['several recurrent layers without a choice', () => load(`${folder}bare.h5`), /--layer NAME/],
    ['an unknown layer', () => load(`${folder}bare.h5`, { layer: 'rnn' }), /gru \(GRU: \[3, 12\]/],
    [
      'shards that are too short',
      () =>
        changed((json) => put(json, ['weightsManifest', '0', 'weights', '0', 'shape', '0'], 4000)),
      /shards end before/,
    ],
    [
      'shards outside the folder',
      () =>
        changed(({ weightsManifest }) => {
          weightsManifest[0].paths[0] = '../secret.bin'
        }),
      /outside its own folder/,
    ],
    [
      'a model that runs in a circle',
      () =>
        changed(({ modelTopology }) => relink(modelTopology.model_config.config.layers[1], 'head')),
      /in a circle/,
    ],
    [
      'an activation that is code',
      () =>
        changed(({ modelTopology }) => {
          modelTopology.model_config.config.layers[2].config.activation = 'my_swish'
        }),
      /'head'.*no activation is called 'my_swish'/,
    ],
  ])('%s', async (_, read, message) => {
    await expect(read()).rejects.toThrow(message)
  })
})

describe('hostile files', () => {
  it('a configuration with anything anywhere: a model, or a GruvError', {
    timeout: 60_000,
  }, async () => {
    const places = placesIn(JSON.parse(text))
    const anything = fc.oneof(
      fc.jsonValue({ maxDepth: 2 }),
      fc.constantFrom(
        ...['__proto__', 'constructor', 'gru', 'head', 'Bidirectional', 'RNN', 'LSTM', 'Merge'],
        ...[
          'ReLU',
          'Softmax',
          'TimeDistributed',
          'keras.src.ops.numpy',
          'GetItem',
          '3.16.0',
          '1.1.0',
        ],
      ),
      fc.integer(),
    )
    await fc.assert(
      fc.asyncProperty(fc.nat(places.length - 1), anything, async (at, value) => {
        const error = await changed((json) => put(json, places[at], value)).catch((e: unknown) => e)
        if (error instanceof Error) expectOurs(error)
      }),
      { numRuns: few(500, 1500), seed: 20261124 },
    )
  })

  it.each(['recurrent-3.8.keras', 'first-1.2.h5'])(
    'bytes of %s',
    { timeout: 60_000 },
    async (file) => {
      const bytes = new Uint8Array(readFileSync(folder + file))
      const read = async (each: Uint8Array): Promise<void> => {
        const error = await load({ [file]: each }).catch((caught: unknown) => caught)
        if (!(error instanceof Error)) return
        if (error.message.includes('broke its reader')) throw (error as GruvError).cause
        throw error
      }
      await flipBytes(bytes, read, { runs: few(80, 400), seed: 7 })
    },
  )
})

describe('models of several files, any of them damaged', () => {
  it.each(['saved-model', 'saved-model-wrapped', 'checkpoint', 'tfjs-uint8'])(
    '%s',
    { timeout: 60_000 },
    async (name) => {
      const all = filesIn(folder + name)
      const names = Object.keys(all)
      for (const [i, file] of names.entries()) {
        const read = async (broken: Uint8Array): Promise<void> => {
          await load({ ...all, [file]: broken }).catch((error: GruvError) => {
            throw error.message.includes('broke its reader') ? error.cause : error
          })
        }
        await flipBytes(all[file], read, { runs: few(30, 150), seed: i + 1 })
        const cut = (part: number): Uint8Array => all[file].slice(0, (all[file].length * part) / 8)
        for (let part = 0; part < 8; part++)
          await read(cut(part)).catch((error: unknown) => expect(isGruvError(error)).toBe(true))
        const { [file]: _, ...rest } = all
        await load(rest).catch((error: unknown) => expect(isGruvError(error)).toBe(true))
      }
    },
  )
})

function filesIn(path: string): Readonly<Record<string, Uint8Array>> {
  return Object.fromEntries(
    readdirSync(path, { recursive: true, encoding: 'utf8' })
      .filter((file) => statSync(join(path, file)).isFile())
      .map((file) => [file.replaceAll('\\', '/'), new Uint8Array(readFileSync(join(path, file)))]),
  )
}

/** The paths to every value in a JSON value. */
function placesIn(value: unknown, path: readonly string[] = []): (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [path]
  const inner = Object.entries(value).flatMap(([key, each]) => placesIn(each, [...path, key]))
  return path.length === 0 ? inner : [path, ...inner]
}

/** `load` wraps an unforeseen error too, but calls it a bug. */
function expectOurs(error: Error): void {
  expect(isGruvError(error)).toBe(true)
  expect(error.message).not.toContain('broke its reader')
}
