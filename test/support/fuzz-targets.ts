/** Files for readers to be fuzzed with, of every format: a sample in `test/fuzz.test.ts`, more in `test/deep/`. */

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseRow, readData } from '../../src/data/index.ts'
import { compile, GruvError, load, type ModelSource } from '../../src/index.ts'
import { example } from './cli.ts'
import { fixture } from './fixtures.ts'
import { flipBytes, mutate, type Reader, shiftBytes } from './fuzz.ts'
import { functional, kerasArchive } from './hostile.ts'
import {
  hdf5Members,
  jsonFile,
  type Mutation,
  oneByte,
  protobufFields,
  safetensorsHeader,
  zipEntries,
} from './mutations.ts'

interface Target {
  readonly name: string
  readonly bytes: Uint8Array
  readonly read: Reader
  /** Changes what the file means, where its format is known. */
  readonly mutation?: Mutation
}

const named = (folder: string, endings: RegExp): readonly string[] =>
  readdirSync(new URL(`../fixtures/${folder}/`, import.meta.url)).filter((name) =>
    endings.test(name),
  )
const layer = {
  wMatrix: [[0.1, 0.2, 0.3]],
  uMatrix: [[0.1, 0.2, 0.3]],
  biases: [
    [0, 0, 0],
    [1, 1, 1],
  ],
}

/** Loads a model, compiles it, and runs it for one row of three steps. */
async function whole(source: ModelSource): Promise<void> {
  const model = await load(source)
  const program = await compile(model)
  program.predict(
    Object.fromEntries(
      model.inputs.map(({ name, shape: dims }) => {
        const shape = dims.map((dim) => (typeof dim === 'number' ? dim : dim === 'batch' ? 1 : 3))
        const size = shape.reduce((a, b) => a * b, 1)
        if (size > MOST_NUMBERS) throw new GruvError('too-large', 'the test brings no such input')
        return [name, { shape, data: new Float32Array(size).fill(1) }]
      }),
    ),
  )
}

/** What a caller brings is the caller's own cost. */
const MOST_NUMBERS = 1e7

const inFolder = (folder: string, main: string, others: readonly string[]): Target => {
  const beside = Object.fromEntries(
    others.map((name) => [name, fixture(`${folder}/${name}`)] as const),
  )
  return {
    name: `${folder}/${main}`,
    bytes: fixture(`${folder}/${main}`),
    read: (bytes) => whole({ [main]: bytes, ...beside }),
    mutation: main.endsWith('.json') ? jsonFile : protobufFields,
  }
}

const ofMutation = (
  mutation: Mutation,
  folder: string,
  names: readonly string[],
): readonly Target[] =>
  names.map((name) => ({
    name,
    bytes: fixture(`${folder}/${name}`),
    read: (bytes) => whole({ [name]: bytes }),
    mutation,
  }))

/** Operations of TensorFlow and of Keras 3, whose arguments are values of any kind. */
const operations = functional(
  'operations',
  [null, 3, 2],
  [
    { name: 'norm', className: 'BatchNormalization', config: { axis: [-1], mode: 0 } },
    { name: 'tf', className: 'TFOpLambda', config: { function: 'math.tanh' } },
    {
      name: 'graph',
      className: 'TensorFlowOpLayer',
      config: {
        node_def: {
          op: 'StridedSlice',
          input: ['tf', 'begin', 'end', 'strides'],
          attr: {
            begin_mask: { i: '1' },
            T: { type: 'DT_FLOAT' },
            squeeze_dims: { list: { i: ['1'] } },
          },
        },
        constants: { '1': [0, 0, 0], '2': [1, 2, 2], '3': [1, 1, 1] },
      },
    },
    { name: 'pad', className: 'ZeroPadding1D', config: { padding: [1, 1] } },
    { name: 'repeat', className: 'UpSampling1D', config: { size: 2 } },
    { name: 'average', className: 'AveragePooling1D', config: { pool_size: 2, padding: 'same' } },
    { name: 'shape', className: 'Reshape', config: { target_shape: [-1, 2] } },
    { name: 'act', className: 'Activation', config: { activation: 'tanh' } },
  ].map((layer, i, all) => ({ ...layer, calls: [[i === 0 ? 'in' : all[i - 1].name]] })),
)

export const targets: readonly Target[] = [
  {
    name: 'model.safetensors',
    bytes: new Uint8Array(readFileSync(join(example, 'model.safetensors'))),
    read: (bytes: Uint8Array) => whole({ 'model.safetensors': bytes }),
    mutation: safetensorsHeader,
  },
  {
    name: 'layer.npz',
    bytes: new Uint8Array(readFileSync(join(example, 'layer.npz'))),
    read: (bytes: Uint8Array) => whole({ 'layer.npz': bytes }),
    mutation: zipEntries,
  },
  {
    name: 'layer.json',
    bytes: new TextEncoder().encode(JSON.stringify(layer)),
    read: (bytes) => whole({ 'layer.json': bytes }),
    mutation: jsonFile,
  },
  ...ofMutation(oneByte, 'pytorch', ['legacy.pt', 'agent.pt', 'whole-legacy.pt']),
  ...ofMutation(zipEntries, 'pytorch', ['gru-no-bias.pt', 'checkpoint.pt', 'whole.pt']),
  ...ofMutation(protobufFields, 'onnx', [
    'last.onnx',
    'packed.onnx',
    'attention.onnx',
    'tf2onnx.onnx',
    'function.onnx',
    'convolved.onnx',
    'unrolled.onnx',
  ]),
  ...ofMutation(jsonFile, 'audio', named('audio', /\.json$/)),
  ...ofMutation(oneByte, 'audio', named('audio', /\.rnnn$/)),
  ...ofMutation(zipEntries, 'keras', named('keras', /\.keras$/)),
  ...ofMutation(hdf5Members, 'keras', named('keras', /\.h5$/)),
  ...ofMutation(oneByte, 'hdf5', ['names-ordered.h5', 'storage-latest.h5']),
  {
    name: 'operations.keras',
    bytes: await kerasArchive(operations),
    read: (bytes) => whole({ 'operations.keras': bytes }),
    mutation: zipEntries,
  },
  inFolder('keras/tfjs-float32', 'model.json', ['group1-shard1of2.bin', 'group1-shard2of2.bin']),
  inFolder('keras/saved-model', 'keras_metadata.pb', [
    'saved_model.pb',
    'variables/variables.index',
    'variables/variables.data-00000-of-00001',
  ]),
  ...named('data', /^(?!expected\.json).*\.(npy|npz|csv|tsv|txt|json|jsonl)$/).map((name) => ({
    name,
    bytes: fixture(`data/${name}`),
    read: (bytes: Uint8Array) => readData(bytes, name),
  })),
  {
    name: 'a line of standard input',
    bytes: new TextEncoder().encode('1.5, -2e3, nan, "4", [5]'),
    read: (bytes) => parseRow(new TextDecoder().decode(bytes)),
  },
]

/**
 * Feeds broken copies of one target to its reader, four times `runs` for each seed; which target it is
 * follows from the seed.
 * @returns how many there were, and the time of the slowest in ms.
 * @throws when anything but a GruvError comes out.
 */
export async function fuzzTarget(
  seed: number,
  runs = 10,
): Promise<{ readonly runs: number; readonly slowestMilliseconds: number }> {
  const { bytes, read, mutation } = targets[seed % targets.length]
  const reports = [
    await flipBytes(bytes, read, { runs, seed }),
    await shiftBytes(bytes, read, { runs, seed }),
    ...(mutation === undefined
      ? []
      : [await mutate(bytes, read, { runs: 2 * runs, seed }, mutation)]),
  ]
  return {
    runs: reports.reduce((sum, { runs }) => sum + runs, 0),
    slowestMilliseconds: Math.max(...reports.map(({ slowestMilliseconds }) => slowestMilliseconds)),
  }
}
