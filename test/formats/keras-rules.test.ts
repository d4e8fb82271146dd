/**
 * Tests what Keras's versions do differently, with one small model for each rule: written here as
 * TF.js would store it, whatever version it claims to be of.
 */

import { describe, expect, it } from 'vitest'
import { writeHdf5 } from '../../src/bytes/hdf5/write.ts'
import { readZip } from '../../src/bytes/zip/read.ts'
import { writeZip } from '../../src/bytes/zip/write.ts'
import { type FileSet, type LoadOptions, load, type Model } from '../../src/index.ts'
import { runReference } from '../../src/runtime/reference/index.ts'
import type { Named, Tensor } from '../../src/tensor.ts'
import { errorOf } from '../support/errors.ts'
import { fixture } from '../support/fixtures.ts'
import { randomTensor } from '../support/random.ts'

type Ref = readonly [string, number, number]

interface LayerSpec {
  readonly kind: string
  readonly name: string
  readonly config?: object
  /** Names of the layers before it; one call for each list. */
  readonly calls?: readonly (readonly (string | Ref)[])[]
  readonly module?: string
  /** Calls as Keras 3 writes them, instead. */
  readonly nodes?: readonly object[]
  /** Shapes of its arrays by the end of their names, or the arrays. */
  readonly weights?: Named<readonly number[] | Tensor>
}

const array = (numbers: readonly number[], shape: readonly number[]): Tensor => ({
  shape,
  data: Float64Array.from(numbers),
})

const text = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value))

/** A functional model; every input is [null, null, features] unless it says otherwise. */
function files(
  version: string,
  layers: readonly LayerSpec[],
  outputs: readonly (string | Ref)[],
): FileSet {
  const ref = (of: string | Ref): Ref => (typeof of === 'string' ? [of, 0, 0] : of)
  const listed: object[] = []
  const numbers: number[] = []
  const json = layers.map(({ kind, name, config, calls, module, nodes, weights }, at) => {
    for (const [end, shape] of Object.entries(weights ?? {})) {
      const size = (extents: readonly number[]): number => extents.reduce((a, b) => a * b, 1)
      const given = 'data' in shape ? shape : randomTensor(at + end.length, [...shape])
      expect(given.data.length).toBe(size(given.shape))
      listed.push({ name: `${name}/${end}`, shape: given.shape, dtype: 'float32' })
      numbers.push(...given.data)
    }
    return {
      class_name: kind,
      name,
      ...(module !== undefined && { module }),
      config: { name, ...config },
      inbound_nodes: nodes ?? (calls ?? []).map((inputs) => inputs.map((of) => [...ref(of), {}])),
    }
  })
  const inputs = layers.filter(({ kind }) => kind === 'InputLayer').map(({ name }) => ref(name))
  const config = {
    name: 'm',
    layers: json,
    input_layers: inputs,
    output_layers: outputs.map(ref),
  }
  return whole(version, { class_name: 'Functional', config }, listed, numbers)
}

function whole(
  version: string,
  config: object,
  listed: readonly object[],
  numbers: readonly number[],
): FileSet {
  return {
    'model.json': text({
      format: 'layers-model',
      modelTopology: { keras_version: version, model_config: config },
      weightsManifest: [{ paths: ['w.bin'], weights: listed }],
    }),
    'w.bin': new Uint8Array(Float32Array.from(numbers).buffer),
  }
}

const input = (features: number, name = 'in'): LayerSpec => ({
  kind: 'InputLayer',
  name,
  config: { batch_input_shape: [null, null, features] },
})

const gru = (name: string, before: string, features: number, config: object = {}): LayerSpec => ({
  kind: 'GRU',
  name,
  config: { units: 2, return_sequences: true, reset_after: true, ...config },
  calls: [[before]],
  weights: { kernel: [features, 6], recurrent_kernel: [2, 6], bias: [2, 6] },
})

const read = (
  version: string,
  layers: readonly LayerSpec[],
  outputs: readonly (string | Ref)[],
  options: LoadOptions = {},
): Promise<Model> => load(files(version, layers, outputs), options)

function run(model: Model, ...inputs: readonly Tensor[]): readonly Tensor[] {
  const given = Object.fromEntries(model.inputs.map(({ name }, i) => [name, inputs[i]]))
  const { outputs } = runReference(model, given)
  return model.outputs.map(({ name }) => outputs[name])
}

function close(a: Tensor, b: Tensor): void {
  expect(a.shape).toEqual(b.shape)
  a.data.forEach((value, i) => {
    expect(value).toBeCloseTo(b.data[i], 12)
  })
}

const x = randomTensor(7, [2, 5, 3])
/** The second step, and in the first row the last, do not count. */
const gaps = {
  ...x,
  data: x.data.map((value, i) => ([1, 4, 6].includes(Math.floor(i / 3)) ? 0 : value)),
}
const masking: LayerSpec = {
  kind: 'Masking',
  name: 'mask',
  config: { mask_value: 0 },
  calls: [['in']],
}

describe('masks', () => {
  const isMasked = (model: Model, name: string): boolean =>
    model.nodes.find((node) => node.name === name)!.inputs.mask !== undefined

  it.each([
    ['2.15.0', true],
    ['3.15.0', true],
    ['3.16.0', false],
  ])('Keras %s: behind recurrent layers and TimeDistributed: %s', async (version, goesOn) => {
    const wrapped = { class_name: 'Dense', config: { name: 'inner', units: 2 } }
    const dense = { kernel: [2, 2], bias: [2] }
    const half = (name: string, shape: readonly number[]) => ({
      [`forward_${name}`]: shape,
      [`backward_${name}`]: shape,
    })
    const model = await read(
      version,
      [
        input(3),
        masking,
        gru('one', 'mask', 3),
        gru('two', 'one', 2),
        {
          kind: 'TimeDistributed',
          name: 'td',
          config: { layer: wrapped },
          calls: [['mask']],
          weights: { kernel: [3, 2], bias: dense.bias },
        },
        gru('three', 'td', 2),
        {
          kind: 'Bidirectional',
          name: 'both',
          config: {
            layer: {
              class_name: 'SimpleRNN',
              config: { name: 'rnn', units: 2, return_sequences: true, use_bias: false },
            },
          },
          calls: [['mask']],
          weights: { ...half('rnn/kernel', [3, 2]), ...half('rnn/recurrent_kernel', [2, 2]) },
        },
        gru('four', 'both', 4),
      ],
      ['two', 'three', 'four'],
    )
    expect(isMasked(model, 'one')).toBe(true)
    expect(model.warnings.join().includes('ends at one')).toBe(!goesOn)
    for (const name of ['two', 'three', 'four']) expect(isMasked(model, name), name).toBe(goesOn)
  })

  it('with the steps on the first axis the mask is turned as they are', async () => {
    const layers = (extra: readonly LayerSpec[], config: object, last: string) =>
      read('2.15.0', [input(3), masking, gru('gru', 'mask', 3, config), ...extra], [last])
    const turned = await layers([], { time_major: true }, 'gru')
    const [y] = run(await layers([], {}, 'gru'), gaps)
    const [z] = run(turned, swap(gaps))
    close(swap(z), y)
  })

  it.each([
    ['2.15.0', false],
    ['3.8.0', true],
  ])('Keras %s: Identity and Rescaling pass them on: %s', async (version, passes) => {
    for (const kind of ['Identity', 'Rescaling']) {
      const config = kind === 'Rescaling' ? { scale: 2 } : {}
      const model = await read(
        version,
        [
          input(3),
          masking,
          { kind, name: 'same', config, calls: [['mask']] },
          gru('gru', 'same', 3),
        ],
        ['gru'],
      )
      expect(isMasked(model, 'gru'), kind).toBe(passes)
    }
  })

  it('a masked softmax leaves nothing for what does not count', async () => {
    const model = await read(
      '2.15.0',
      [
        { kind: 'InputLayer', name: 'ids', config: { batch_input_shape: [null, 3] } },
        { kind: 'InputLayer', name: 'scores', config: { batch_input_shape: [null, 3] } },
        {
          kind: 'Embedding',
          name: 'e',
          config: { mask_zero: true },
          calls: [['ids']],
          weights: { embeddings: [4, 1] },
        },
        { kind: 'GlobalAveragePooling1D', name: 'mean', calls: [['e']] },
        {
          kind: 'Softmax',
          name: 'soft',
          nodes: [{ args: [keras('scores')], kwargs: { mask: keras('not_equal') } }],
        },
        {
          kind: 'NotEqual',
          name: 'not_equal',
          module: 'keras.src.ops.numpy',
          nodes: [{ args: [keras('ids'), 0], kwargs: {} }],
        },
      ],
      ['soft', 'mean'],
    )
    const [soft] = run(model, array([1, 0, 2], [1, 3]), array([1, 9, 1], [1, 3]))
    expect([...soft.data]).toEqual([0.5, 0, 0.5])
  })
})

function keras(name: string): object {
  return { class_name: '__keras_tensor__', config: { shape: [null], keras_history: [name, 0, 0] } }
}

/** [rows, steps, …] as [steps, rows, …]. */
function swap({ shape, data }: Tensor): Tensor {
  const [rows, steps, features] = shape
  const out = data.slice()
  for (let row = 0; row < rows; row++)
    for (let step = 0; step < steps; step++)
      for (let f = 0; f < features; f++)
        out[(step * rows + row) * features + f] = data[(row * steps + step) * features + f]
  return { shape: [steps, rows, features], data: out }
}

describe('states of stacked cells', () => {
  const stack = (version: string, change: object = {}): Promise<Model> =>
    read(
      version,
      [
        input(3),
        {
          kind: 'RNN',
          name: 'rnn',
          config: {
            return_state: true,
            cell: {
              class_name: 'StackedRNNCells',
              config: {
                ...change,
                cells: [
                  { class_name: 'LSTMCell', config: { name: 'a', units: 4, use_bias: false } },
                  { class_name: 'SimpleRNNCell', config: { name: 'b', units: 2, use_bias: false } },
                ],
              },
            },
          },
          calls: [['in']],
          weights: {
            'a/kernel': [3, 16],
            'a/recurrent_kernel': [4, 16],
            'b/kernel': [4, 2],
            'b/recurrent_kernel': [2, 2],
          },
        },
      ],
      [0, 1, 2, 3].map((i) => ['rnn', 0, i] as const),
    )
  const widths = ({ outputs }: Model): unknown[] => outputs.map(({ shape }) => shape[1])

  it.each([
    ['2.2.2', {}, [2, 2, 4, 4]],
    ['2.2.3', {}, [2, 4, 4, 2]],
    ['2.2.4', { reverse_state_order: true }, [2, 2, 4, 4]],
    ['2.15.0', {}, [2, 4, 4, 2]],
    ['3.8.0', {}, [2, 4, 4, 2]],
  ] as const)('Keras %s %o: %s', async (version, change, expected) => {
    expect(widths(await stack(version, change))).toEqual(expected)
  })
})

describe('defaults that a file leaves out', () => {
  it.each([
    ['2.2.4', 'hard_sigmoid'],
    ['2.3.0', 'sigmoid'],
    ['3.0.0', 'sigmoid'],
  ])('Keras %s: gates are %s', async (version, expected) => {
    const { nodes } = await read(version, [input(3), gru('gru', 'in', 3)], ['gru'])
    const [node] = nodes
    expect(node.kind === 'gru' && node.recurrentActivation.kind).toBe(expected)
  })
})

describe('activations', () => {
  it.each([
    [{ max_value: 1.5, negative_slope: 0.25, threshold: 0.5 }],
    [{ max_value: null, negative_slope: 0.25, threshold: 0.5 }],
    [{ max_value: 1.5, negative_slope: 0.25, threshold: 0 }],
    [{ max_value: 1, negative_slope: 0, threshold: 0.5 }],
  ])('ReLU %o', async (config) => {
    const model = await read(
      '3.8.0',
      [input(1), { kind: 'ReLU', name: 'relu', config, calls: [['in']] }],
      ['relu'],
    )
    const given = [-2, -0.5, 0, 0.25, 0.5, 0.75, 1.25, 3]
    const [y] = run(model, array(given, [1, 8, 1]))
    const { max_value: max, negative_slope: slope, threshold } = config
    // keras/src/backend, nn.relu: what exceeds the threshold, limited, less the leak below it.
    const expected = given.map(
      (a) => Math.min(a > threshold ? a : 0, max ?? 9) - slope * Math.max(threshold - a, 0),
    )
    expect([...y.data]).toEqual(expected)
    expect(model.nodes.every(({ kind }) => ['activation', 'affine', 'merge'].includes(kind))).toBe(
      true,
    )
  })
})

describe('operations of Keras 3', () => {
  const operation = (
    kind: string,
    name: string,
    args: readonly unknown[],
    kwargs = {},
  ): LayerSpec => ({
    kind,
    name,
    module: 'keras.src.ops.numpy',
    nodes: [{ args, kwargs }],
  })

  it('x[:, -1], means and arithmetic', async () => {
    const all = { class_name: '__slice__', config: { start: null, stop: null, step: null } }
    const model = await read(
      '3.8.0',
      [
        input(3),
        operation('GetItem', 'last', [keras('in'), [all, -1]]),
        operation('Mean', 'mean', [keras('in')], { axis: 1 }),
        operation('Subtract', 'off', [keras('last'), keras('mean')]),
        operation('Multiply', 'twice', [keras('off'), 2]),
      ],
      ['twice'],
    )
    const [y] = run(model, x)
    for (let row = 0; row < 2; row++)
      for (let f = 0; f < 3; f++) {
        const at = (step: number): number => x.data[(row * 5 + step) * 3 + f]
        const mean = (at(0) + at(1) + at(2) + at(3) + at(4)) / 5
        expect(y.data[row * 3 + f]).toBeCloseTo(2 * (at(4) - mean), 6)
      }
  })

  it('those with the name of a layer are not taken for it', async () => {
    const model = await read(
      '3.8.0',
      [input(3), operation('Average', 'average', [keras('in')], { axis: 1 })],
      ['average'],
    )
    const [y] = run(model, x)
    expect(y.shape).toEqual([2, 3])
    const mean = [0, 1, 2, 3, 4].reduce((sum, step) => sum + x.data[step * 3], 0) / 5
    expect(y.data[0]).toBeCloseTo(mean, 6)
  })

  it('an argument that is not known is not lost', async () => {
    const average = operation('Average', 'average', [keras('in')], { axis: 1, weights: [1, 2, 3] })
    const error = await errorOf(() => read('3.8.0', [input(3), average], ['average']))
    expect(error.message).toMatch(/'average' \(Average: an average with weights/)
    const most = operation('Max', 'most', [keras('in')], { axis: 1, initial: 3 })
    const other = await errorOf(() => read('3.8.0', [input(3), most], ['most']))
    expect(other.message).toMatch(/an argument that gruv does not know \(initial\)/)
  })

  it('they know no masks', async () => {
    const model = await read(
      '3.8.0',
      [input(3), masking, operation('Add', 'more', [keras('mask'), 1]), gru('gru', 'more', 3)],
      ['gru'],
    )
    expect(model.nodes.find(({ name }) => name === 'gru')!.inputs.mask).toBeUndefined()
  })
})

describe('tensors by name', () => {
  it.each(['2.15.0', '3.8.0'])('Keras %s: in the order of their names', async (version) => {
    const features = (name: string, count: number): LayerSpec => ({
      kind: 'InputLayer',
      name,
      config: { batch_input_shape: [null, count] },
    })
    const inner = {
      name: 'inner',
      layers: [
        {
          ...features('p', 1),
          class_name: 'InputLayer',
          config: { name: 'p', batch_input_shape: [null, 1] },
          inbound_nodes: [],
        },
        {
          ...features('q', 2),
          class_name: 'InputLayer',
          config: { name: 'q', batch_input_shape: [null, 2] },
          inbound_nodes: [],
        },
        {
          class_name: 'Concatenate',
          name: 'c',
          config: { name: 'c' },
          inbound_nodes: [
            [
              ['p', 0, 0, {}],
              ['q', 0, 0, {}],
            ],
          ],
        },
      ],
      input_layers: { second: ['q', 0, 0], first: ['p', 0, 0] },
      output_layers: { only: ['c', 0, 0] },
    }
    const node = version.startsWith('3')
      ? { args: [{ second: keras('b'), first: keras('a') }], kwargs: {} }
      : { second: ['b', 0, 0], first: ['a', 0, 0] }
    const model = await read(
      version,
      [
        features('a', 1),
        features('b', 2),
        { kind: 'Functional', name: 'inner', config: inner, nodes: [node] },
      ],
      ['inner'],
    )
    const [y] = run(model, array([1], [1, 1]), array([2, 3], [1, 2]))
    expect([...y.data]).toEqual([1, 2, 3])
  })
})

describe('Keras 1', () => {
  it('kernels of 1.1 are [units, features, size, 1]', async () => {
    const kernel = randomTensor(3, [2, 3, 4])
    const old = array(
      Array.from({ length: 24 }, (_, i) => {
        const [unit, feature, k] = [Math.floor(i / 6), Math.floor(i / 2) % 3, i % 2]
        return kernel.data[(k * 3 + feature) * 4 + unit]
      }),
      [4, 3, 2, 1],
    )
    const conv = (version: string, stored: Tensor): Promise<Model> =>
      read(
        version,
        [
          input(3),
          {
            kind: 'Convolution1D',
            name: 'conv',
            config: { nb_filter: 4, filter_length: 2, bias: false },
            calls: [['in']],
            weights: { W: stored },
          },
        ],
        ['conv'],
      )
    const [y] = run(await conv('1.1.2', old), x)
    const [z] = run(await conv('1.2.2', { ...kernel, shape: [2, 1, 3, 4] }), x)
    close(y, z)
  })

  it('a Sequential that begins with a Merge has an input for each branch', async () => {
    const branch = (name: string): object => ({
      class_name: 'Sequential',
      config: [
        {
          class_name: 'Dense',
          config: {
            name,
            output_dim: 2,
            bias: false,
            activation: 'tanh',
            batch_input_shape: [null, 3],
          },
        },
      ],
    })
    const merge = {
      name: 'merge_1',
      mode: 'sum',
      concat_axis: -1,
      layers: [branch('dense_1'), branch('dense_2')],
    }
    const config = {
      class_name: 'Sequential',
      config: [
        { class_name: 'Merge', config: merge },
        { class_name: 'Dense', config: { name: 'dense_3', output_dim: 1, bias: false } },
      ],
    }
    const [a, b, c] = [randomTensor(1, [3, 2]), randomTensor(2, [3, 2]), randomTensor(3, [2, 1])]
    const listed = [a, b, c].map(({ shape }, i) => ({
      name: `dense_${i + 1}/kernel`,
      shape,
      dtype: 'float32',
    }))
    const numbers = [...a.data, ...b.data, ...c.data]
    const model = await load(whole('1.2.2', config, listed, numbers))
    expect(model.inputs.map(({ shape }) => shape)).toEqual([
      ['batch', 3],
      ['batch', 3],
    ])
    const [p, q] = [randomTensor(4, [1, 3]), randomTensor(5, [1, 3])]
    const hidden = [0, 1].map((u) => {
      const sum = (v: Tensor, w: Tensor): number =>
        v.data[0] * w.data[u] + v.data[1] * w.data[2 + u] + v.data[2] * w.data[4 + u]
      return Math.tanh(sum(p, a)) + Math.tanh(sum(q, b))
    })
    const [y] = run(model, p, q)
    expect(y.data[0]).toBeCloseTo(hidden[0] * c.data[0] + hidden[1] * c.data[1], 12)
  })
})

it('one message has all that cannot be read, behind what cannot be read as well', async () => {
  const error = await errorOf(() =>
    read(
      '2.15.0',
      [
        input(3),
        gru('gru', 'in', 3),
        { kind: 'Softmax', name: 'soft', config: { axis: [1, 2] }, calls: [['gru']] },
        { kind: 'Lambda', name: 'mine', calls: [['gru']] },
        {
          kind: 'TimeDistributed',
          name: 'td',
          config: { layer: { class_name: 'ConvLSTM2D', config: { name: 'inner' } } },
          calls: [['mine']],
        },
        { kind: 'Dense', name: 'head', config: { activation: 'secret' }, calls: [['td']] },
      ],
      ['head', 'soft'],
    ),
  )
  expect(error.message).toMatch(/4 layers of this model/)
  for (const said of [
    /'mine' \(Lambda/,
    /'td' \(TimeDistributed of ConvLSTM2D/,
    /'head' \(Dense: no activation is called 'secret'/,
    /'soft' \(Softmax: a softmax over several axes/,
  ])
    expect(error.message).toMatch(said)
  expect(error.fix).toContain('--until gru')
})

describe('containers', () => {
  it('an archive whose entries stand in another order, and the same unpacked', async () => {
    const entries = await readZip(fixture('keras/recurrent-3.8.keras'))
    const contents: Record<string, Uint8Array> = {}
    for (const [name, entry] of entries) contents[name] = await entry.read()
    const plain = await load({ 'model.keras': fixture('keras/recurrent-3.8.keras') })
    const order = ['model.weights.h5', 'metadata.json', 'config.json']
    const packed = await writeZip(order.map((name) => ({ name, bytes: contents[name] })))
    for (const other of [await load({ 'other.keras': packed }), await load(contents)])
      expect(other.nodes).toEqual(plain.nodes)
  })

  it('what to_json wrote, beside its weights', async () => {
    const shape = [null, null, 3]
    const config = {
      class_name: 'Sequential',
      keras_version: '2.15.0',
      backend: 'tensorflow',
      config: {
        name: 's',
        layers: [
          {
            class_name: 'GRU',
            config: { name: 'g', units: 2, reset_after: true, batch_input_shape: shape },
          },
        ],
      },
    }
    const weights = await writeHdf5({
      'layers/gru/cell/vars/0': randomTensor(1, [3, 6]),
      'layers/gru/cell/vars/1': randomTensor(2, [2, 6]),
      'layers/gru/cell/vars/2': randomTensor(3, [2, 6]),
    })
    const model = await load({ 'model.json': text(config), 'best.weights.h5': weights })
    expect(model.outputs[0].shape).toEqual(['batch', 2])
    await expect(load({ 'model.json': text(config) })).rejects.toThrow(
      /model\.weights\.h5.*not among/s,
    )
    await expect(
      load({ 'model.json': text(config), 'a.h5': weights, 'b.h5': weights }),
    ).rejects.toThrow(/not clear which file/)
  })

  it('weights alone: what Dropout counts on is no array of a layer', async () => {
    const weights = await writeHdf5({
      'layers/dropout/seed_generator/vars/0': array([1, 2], [2]),
      'layers/gru/cell/seed_generator/vars/0': array([1, 2], [2]),
      'layers/gru/cell/vars/0': randomTensor(1, [3, 6]),
      'layers/gru/cell/vars/1': randomTensor(2, [2, 6]),
      'layers/gru/cell/vars/2': randomTensor(3, [2, 6]),
    })
    const { nodes } = await load({ 'x.weights.h5': weights })
    expect(nodes.map(({ kind }) => kind)).toEqual(['gru'])
  })

  it('weights alone of cuDNN layers: two biases in a row, matrices turned', async () => {
    const [kernel, recurrent, bias] = [
      randomTensor(1, [3, 6]),
      randomTensor(2, [2, 6]),
      randomTensor(3, [12]),
    ]
    const weights = await writeHdf5({
      'layers/cu_dnngru/vars/0': kernel,
      'layers/cu_dnngru/vars/1': recurrent,
      'layers/cu_dnngru/vars/2': bias,
    })
    const [node] = (await load({ 'x.weights.h5': weights })).nodes
    if (node.kind !== 'gru') throw new Error(node.kind)
    expect(node.resetAfter).toBe(true)
    expect([...node.weights.recurrentBias!.z.data]).toEqual([...bias.data.slice(6, 8)])
    // The first gate's numbers, row by row, are its matrix column by column.
    const gate = [0, 1, 2].flatMap((row) => [...kernel.data.slice(6 * row, 6 * row + 2)])
    const { data } = node.weights.kernel.z
    expect([0, 1].flatMap((unit) => [0, 1, 2].map((i) => data[2 * i + unit]))).toEqual(gate)
  })

  it('models inside without weights are not counted among those with weights', async () => {
    const inner = (name: string, layers: readonly object[]): object => ({
      class_name: 'Sequential',
      config: { name, layers },
    })
    const shaped = { class_name: 'InputLayer', config: { name: 'i', batch_shape: [null, null, 3] } }
    const config = inner('outer', [
      shaped,
      inner('quiet', [shaped, { class_name: 'Dropout', config: { name: 'd', rate: 0.5 } }]),
      inner('loud', [shaped, { class_name: 'Dense', config: { name: 'e', units: 2 } }]),
    ])
    const weights = await writeHdf5({
      'layers/sequential/layers/dropout/seed_generator/vars/0': array([1, 2], [2]),
      'layers/sequential_1/layers/dense/vars/0': randomTensor(1, [3, 2]),
      'layers/sequential_1/layers/dense/vars/1': randomTensor(2, [2]),
    })
    const model = await load({
      'config.json': text({ module: 'keras', ...config }),
      'metadata.json': text({ keras_version: '3.8.0' }),
      'model.weights.h5': weights,
    })
    expect(model.nodes.map(({ name }) => name)).toEqual(['loud/e'])
  })

  it('quantised to uint16, whole numbers rounded; names of layers with slashes', async () => {
    const kernel = { name: 'a/b/kernel', shape: [2, 2], dtype: 'float32' }
    const quantization = { dtype: 'uint16', scale: 0.5, min: -3 }
    const config = {
      class_name: 'Sequential',
      config: {
        name: 's',
        layers: [
          {
            class_name: 'Dense',
            config: { name: 'a/b', units: 2, use_bias: false, batch_input_shape: [null, 2] },
          },
          { class_name: 'Dense', config: { name: 'a', units: 1, use_bias: false } },
        ],
      },
    }
    const other = {
      name: 'a/kernel',
      shape: [2, 1],
      dtype: 'float32',
      quantization: { dtype: 'uint8', scale: 1, min: 0 },
    }
    const listed = [{ ...kernel, quantization }, other]
    const given = whole('2.15.0', config, listed, [])
    const bytes = new Uint8Array([...new Uint8Array(Uint16Array.of(0, 6, 8, 600).buffer), 1, 2])
    const { nodes, warnings } = await load({ ...given, 'w.bin': bytes })
    const kernels = nodes.map((node) =>
      node.kind === 'dense' ? [...node.weights.kernel.data] : [],
    )
    expect(kernels).toEqual([
      [-3, 0, 1, 297],
      [1, 2],
    ])
    expect(warnings.join()).toMatch(/quantised to uint16.*quantised to uint8/)
  })

  it('what TF.js downloads is found by its one .json', async () => {
    const { 'model.json': json, 'w.bin': data } = files(
      '2.15.0',
      [input(3), gru('gru', 'in', 3)],
      ['gru'],
    )
    const model = await load({ 'w.bin': data, 'my-model.json': json })
    expect(model.nodes[0].kind).toBe('gru')
  })
})

it('TimeDistributed around layers of vectors runs on the steps as they are', async () => {
  const inner = {
    class_name: 'Sequential',
    config: {
      name: 'inner',
      layers: [
        {
          class_name: 'Dense',
          config: { name: 'a', units: 4, activation: 'relu', batch_input_shape: [null, 3] },
        },
        { class_name: 'LayerNormalization', config: { name: 'n', axis: [1] } },
        { class_name: 'Dense', config: { name: 'b', units: 2 } },
      ],
    },
  }
  const model = await read(
    '2.15.0',
    [
      input(3),
      {
        kind: 'TimeDistributed',
        name: 'td',
        config: { layer: inner },
        calls: [['in']],
        weights: {
          'a/kernel': [3, 4],
          'a/bias': [4],
          'n/gamma': [4],
          'n/beta': [4],
          'b/kernel': [4, 2],
          'b/bias': [2],
        },
      },
      gru('gru', 'td', 2),
    ],
    ['td', 'gru'],
  )
  expect(model.nodes.map(({ kind }) => kind)).toEqual(['dense', 'layerNorm', 'dense', 'gru'])
  expect(model.outputs[0].shape).toEqual(['batch', 'time', 2])
})
