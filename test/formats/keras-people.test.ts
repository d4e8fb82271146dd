/** Tests Keras files as people have them: operations, foreign names, configurations in odd places. */

import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { readKerasMetadata } from '../../src/bytes/tensorflow/objects.ts'
import { compose } from '../../src/formats/wiring/compose.ts'
import { compileSync, load, type Model, type Tensor } from '../../src/index.ts'
import { toTensor } from '../../src/tensor.ts'
import { errorOf } from '../support/errors.ts'
import { expectOracle, kerasCases } from '../support/keras-cases.ts'

const fixtures = fileURLToPath(new URL('../fixtures/', import.meta.url))

describe('models of Keras 3 with operations, in each container, against the oracle', () => {
  const folder = `${fixtures}keras-containers`
  it.each(kerasCases(folder))('$file', (each) => expectOracle(folder, each))
})

type Json = Readonly<Record<string, unknown>>
type Arrays = Readonly<Record<string, readonly [readonly number[], readonly number[]]>>

/** A TF.js model of these layers and arrays. */
function web(config: Json, arrays: Arrays = {}, version = '2.11.0'): Promise<Model> {
  const bytes = new Float32Array(Object.values(arrays).flatMap(([, data]) => data))
  const weights = Object.entries(arrays).map(([key, [shape]]) => {
    return { name: key.replace(/#\d+$/, ''), shape, dtype: 'float32' }
  })
  const json = {
    modelTopology: { keras_version: version, model_config: config },
    weightsManifest: [{ paths: ['w.bin'], weights }],
  }
  return load({
    'model.json': new TextEncoder().encode(JSON.stringify(json)),
    'w.bin': new Uint8Array(bytes.buffer),
  })
}

const x = [
  [
    [1, -2],
    [3, 5],
    [0.5, -1],
  ],
]
const input = (name: string, features: number): Json => ({
  class_name: 'InputLayer',
  name,
  config: { name, batch_input_shape: [null, 3, features] },
  inbound_nodes: [],
})

function graph(layers: readonly Json[]): Json {
  const config = {
    name: 'm',
    layers: [input('in', 2), ...layers],
    input_layers: [['in', 0, 0]],
    output_layers: [[layers.at(-1)!.name, 0, 0]],
  }
  return { class_name: 'Functional', config }
}

async function numbers(model: Promise<Model>): Promise<readonly number[]> {
  return [...compileSync(await model, { precision: 'f64' }).predict(toTensor(x, 'x')).y.data]
}

describe('functions of TensorFlow between layers', () => {
  const lambda = (name: string, of: string, node: unknown): Json => ({
    class_name: name === 'getitem' ? 'SlicingOpLambda' : 'TFOpLambda',
    name,
    config: { name, trainable: true, dtype: 'float32', function: of },
    inbound_nodes: [node],
  })
  const all = { start: null, stop: null, step: null }
  it.each<[string, string, unknown, readonly number[]]>([
    ['math.multiply', 'math.multiply', ['in', 0, 0, { y: 2, name: null }], [2, -4, 6, 10, 1, -2]],
    [
      '1 - x',
      'math.subtract',
      ['_CONSTANT_VALUE', -1, 1, { y: ['in', 0, 0] }],
      [0, 3, -2, -4, 0.5, 2],
    ],
    ['math.reduce_mean', 'math.reduce_mean', ['in', 0, 0, { axis: 1 }], [1.5, 2 / 3]],
    ['compat', 'compat.v1.reduce_max', ['in', 0, 0, { axis: [1], keep_dims: true }], [3, 5]],
    ['getitem', '__operators__.getitem', ['in', 0, 0, { slice_spec: [all, -1] }], [0.5, -1]],
    [
      'ends',
      '__operators__.getitem',
      ['in', 0, 0, { slice_spec: [{ class_name: '__ellipsis__' }, 0] }],
      [1, 3, 0.5],
    ],
    [
      'concat',
      'concat',
      [
        ['in', 0, 0, { axis: 1 }],
        ['in', 0, 0, { axis: 1 }],
      ],
      [1, -2, 3, 5, 0.5, -1, 1, -2, 3, 5, 0.5, -1],
    ],
    [
      'squares',
      'linalg.matmul',
      ['in', 0, 0, { b: ['in', 0, 0], transpose_b: true }],
      [5, -7, 2.5, -7, 34, -3.5, 2.5, -3.5, 1.25],
    ],
    ['slice', 'slice', ['in', 0, 0, { begin: [0, 1, 0], size: [-1, 2, 1] }], [3, 0.5]],
    ['split', 'split', ['in', 0, 0, { num_or_size_splits: [1, 1], axis: 2 }], [1, 3, 0.5]],
    ['power', 'math.pow', ['in', 0, 0, { y: [2, 1] }], [1, -2, 9, 5, 0.25, -1]],
  ])('%s', async (name, of, node, expected) => {
    const got = await numbers(web(graph([lambda(name, of, node)])))
    expect(got).toHaveLength(expected.length)
    expected.forEach((value, i) => expect(got[i]).toBeCloseTo(value, 12))
  })

  it.each([
    ['a function that is not known', 'signal.fft', {}, /tf\.signal\.fft, a function of TensorFlow/],
    ['another space of names', 'strings.split', {}, /tf\.strings\.split/],
    ['an argument that is not known', 'math.reduce_sum', { axis: 1, other: 3 }, /\(other\)/],
  ])('%s is refused', async (_, of, kwargs, message) => {
    const error = await errorOf(() => web(graph([lambda('f', of, ['in', 0, 0, kwargs])])))
    expect(error.message).toMatch(message)
    expect(error.message).not.toContain('code')
  })

  it.each<[string, Json, Json, readonly number[]]>([
    ['Mul', {}, { 1: 2 }, [2, -4, 6, 10, 1, -2]],
    ['Sub', {}, { 0: 1 }, [0, 3, -2, -4, 0.5, 2]],
    ['Mean', { keep_dims: { b: true } }, { 1: [1] }, [1.5, 2 / 3]],
    [
      'StridedSlice',
      { begin_mask: { i: '1' }, end_mask: { i: '1' }, shrink_axis_mask: { i: '2' } },
      { 1: [0, -1], 2: [0, 0], 3: [1, 1] },
      [0.5, -1],
    ],
  ])('TensorFlowOpLayer: %s', async (op, attr, constants, expected) => {
    const config = { name: op, trainable: true, node_def: { name: op, op, attr }, constants }
    const layer = {
      class_name: 'TensorFlowOpLayer',
      name: 'op',
      config,
      inbound_nodes: [[['in', 0, 0, {}]]],
    }
    const got = await numbers(web(graph([layer]), {}, '2.3.0-tf'))
    expected.forEach((value, i) => expect(got[i]).toBeCloseTo(value, 12))
  })
})

it('a merging layer with one input is refused', async () => {
  const config = { name: 'add', trainable: true }
  const layer = { class_name: 'Add', name: 'add', config, inbound_nodes: [[['in', 0, 0, {}]]] }
  const error = await errorOf(() => web(graph([layer])))
  expect(error.message).toMatch(/'add' \(Add: a merging layer with one input/)
})

const dense = (name: string, units: number): Json => ({
  class_name: 'Dense',
  config: { name, trainable: true, units, activation: 'linear', use_bias: false },
})
const steps = (name: string, inner: Json): Json => ({
  class_name: 'TimeDistributed',
  config: { name, trainable: true, layer: inner },
})
const chain = (...layers: readonly Json[]): Json => ({
  class_name: 'Sequential',
  config: { name: 's', layers: [input('in', 2), ...layers] },
})

describe('arrays named without their wrapper', () => {
  const two: readonly [readonly number[], readonly number[]] = [
    [2, 2],
    [0, 1, 1, 0],
  ]
  const one: readonly [readonly number[], readonly number[]] = [
    [2, 1],
    [1, 10],
  ]

  it('by the names of what is wrapped', async () => {
    const config = chain(steps('a', dense('one', 2)), steps('b', dense('two', 1)))
    expect(await numbers(web(config, { 'two/kernel': one, 'one/kernel': two }))).toEqual([8, 35, 4])
  })

  it('by shapes and order where names are the same', async () => {
    const config = chain(
      steps('a', dense('d', 2)),
      steps('b', dense('d', 2)),
      steps('c', dense('d', 1)),
    )
    const doubled: typeof two = [
      [2, 2],
      [2, 0, 0, 1],
    ]
    const arrays = { 'd/kernel': two, 'd/kernel#2': doubled, 'd/kernel#3': one }
    // Swapped, then the first doubled: [−2, 1] → [−4, 1] → 6.
    expect((await numbers(web(config, arrays)))[0]).toBe(2 * -2 + 10 * 1)
  })

  it('two readings are refused', async () => {
    const config = chain(steps('a', dense('d', 2)))
    const error = await errorOf(() => web(config, { 'd/kernel': two, 'd/kernel#2': two }))
    expect(error.message).toMatch(
      /it is not clear which of these arrays.*d\/kernel \[2, 2\], d\/kernel/,
    )
  })

  it('foreign names are not taken, and are told', async () => {
    const error = await errorOf(() => web(chain(dense('d', 1)), { 'head/kernel': one }))
    expect(error.message).toMatch(
      /d: the weights of this layer.*no layer claims: head\/kernel \[2, 1\]/,
    )
  })
})

describe('a Sequential that states no input', () => {
  const kernel: Arrays = {
    'd/kernel': [
      [2, 1],
      [1, 10],
    ],
  }
  const dropout = { class_name: 'Dropout', config: { name: 'drop', trainable: true, rate: 0.5 } }
  it.each<[string, readonly Json[], readonly unknown[]]>([
    [
      'Dropout, then a layer of sequences',
      [dropout, steps('t', dense('d', 1))],
      ['batch', 'time', 2],
    ],
    ['Dropout, then Dense', [dropout, dense('d', 1)], ['batch', 2]],
  ])('%s', async (_, layers, shape) => {
    const model = await web({ class_name: 'Sequential', config: { name: 's', layers } }, kernel)
    expect(model.inputs[0].shape).toEqual(shape)
  })
})

describe('weights alone, put together by a wiring', () => {
  const path = `${fixtures}keras/bare.h5`
  const run = async (steps: Parameters<typeof compose>[0]): Promise<Tensor> => {
    const model = await load(path, { wiring: compose(steps) })
    const features = model.inputs[0].shape[2] as number
    const data = Float64Array.from({ length: 5 * features }, (_, i) => Math.sin(i))
    return compileSync(model, { precision: 'f64' }).predict({ shape: [1, 5, features], data }).y
  }

  it('the last step is that of the sequence, the final state that of the layer', async () => {
    const whole = await run(['gru'])
    const units = whole.shape[2]
    const last = await run(['gru', 'last'])
    expect(last.shape).toEqual([1, units])
    expect([...last.data]).toEqual([...whole.data.slice(-units)])
    expect([...(await run(['gru', 'final'])).data]).toEqual([...last.data])
    const mean = await run(['gru', 'mean', 'tanh'])
    const sum = [0, 1, 2, 3, 4].reduce((all, step) => all + whole.data[step * units], 0)
    expect(mean.data[0]).toBeCloseTo(Math.tanh(sum / 5), 12)
  })

  it('several recurrent layers: the message names the wiring', async () => {
    const error = await errorOf(() => load(path))
    expect(error.message).toMatch(/head \(2-D array, perhaps Dense.*--wiring/)
  })

  it.each([
    [['nothing'], /neither a module of this file nor an activation/],
    [['head', 'final'], /only a recurrent layer has final states/],
  ])('%j is refused', async (steps, message) => {
    expect((await errorOf(() => run(steps))).message).toMatch(message)
  })
})

it('Dropout(training=True) is told of', async () => {
  const layer = (class_name: string, name: string, of: string, kwargs: Json): Json => ({
    class_name,
    name,
    config: { name, trainable: true, rate: 0.5, activation: 'tanh' },
    inbound_nodes: [[[of, 0, 0, kwargs]]],
  })
  const act = layer('Activation', 'act', 'in', {})
  const model = await web(graph([act, layer('Dropout', 'drop', 'act', { training: true })]))
  expect(model.warnings.join()).toMatch(/drop: .*training=True.*random/)
  const quiet = await web(graph([act, layer('Dropout', 'drop', 'act', { training: false })]))
  expect(quiet.warnings.join()).not.toMatch(/random/)
})

describe('SavedModels of TensorFlow 2.0 to 2.4', () => {
  const folder = `${fixtures}keras/saved-model/`
  const read = (name: string): Uint8Array => new Uint8Array(readFileSync(folder + name))
  const files = {
    'variables/variables.index': read('variables/variables.index'),
    'variables/variables.data-00000-of-00001': read('variables/variables.data-00000-of-00001'),
  }
  const varint = (n: number): number[] => (n < 128 ? [n] : [(n & 127) | 128, ...varint(n >> 7)])
  const field = (number: number, value: readonly number[] | string): number[] => {
    const bytes = typeof value === 'string' ? [...new TextEncoder().encode(value)] : value
    return [(number << 3) | 2, ...varint(bytes.length), ...bytes]
  }
  const saved = (identifier: string, metadata: string): Uint8Array => {
    const object = field(4, [...field(1, identifier), ...field(3, metadata)])
    const info = field(1, [...field(5, '2.3.0'), ...field(2, 'x'.repeat(200))])
    return Uint8Array.from([8, 1, ...field(2, [...info, ...field(7, field(1, object))])])
  }

  it('the configuration stands in saved_model.pb', async () => {
    const [root] = await readKerasMetadata(read('keras_metadata.pb'))
    const pb = saved('_tf_keras_network', root.metadata)
    const inside = await load({ 'saved_model.pb': pb, ...files })
    const beside = await load({
      'saved_model.pb': pb,
      'keras_metadata.pb': read('keras_metadata.pb'),
      ...files,
    })
    expect(inside.nodes).toEqual(beside.nodes)
  })

  it.each([
    [
      '_tf_keras_network',
      /keras_metadata\.pb.*got a model of Keras of TensorFlow 2\.3\.0 without that file/,
    ],
    ['_generic_user_object', /got operations of TensorFlow alone/],
  ])('%s without one: the true reason', async (identifier, message) => {
    const error = await errorOf(() => load({ 'saved_model.pb': saved(identifier, ''), ...files }))
    expect(error.message).toMatch(message)
  })
})
