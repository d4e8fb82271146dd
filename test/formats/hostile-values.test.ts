/**
 * Values, names and depths that a file may hold and no writer writes: each ends in a model or in an
 * error of ours.
 */

import { describe, expect, test } from 'vitest'
import { writeHdf5 } from '../../src/bytes/hdf5/write.ts'
import { bytesField, message, textField } from '../../src/bytes/protobuf/write.ts'
import { readObjectGraph } from '../../src/bytes/tensorflow/objects.ts'
import { writeZip } from '../../src/bytes/zip/write.ts'
import { convert } from '../../src/convert/index.ts'
import { parseNetwork } from '../../src/formats/keras/config.ts'
import { layersIn } from '../../src/formats/keras/saved-model.ts'
import { compile, load } from '../../src/index.ts'
import { createModel } from '../../src/model/graph.ts'
import type { LayerNode } from '../../src/model/types.ts'
import { verify } from '../../src/verify/index.ts'
import { errorOf } from '../support/errors.ts'
import { fixture } from '../support/fixtures.ts'
import { functional, kerasArchive, onnxFile } from '../support/hostile.ts'
import { hostileValues, placesOf, withValue } from '../support/mutations.ts'

type Json = Readonly<Record<string, unknown>>
const utf8 = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value))
const parsed = (path: string): unknown => JSON.parse(new TextDecoder().decode(fixture(path)))

const chain = (
  shape: readonly unknown[],
  layers: readonly { className: string; config?: Json }[],
) =>
  functional(
    'm',
    shape,
    layers.map((layer, i) => ({
      ...layer,
      name: `l${i}`,
      calls: [[i === 0 ? 'in' : `l${i - 1}`]],
    })),
  )

const slice = {
  op: 'StridedSlice',
  input: ['x', 'begin', 'end', 'strides'],
  attr: { begin_mask: { i: '1' }, T: { type: 'DT_FLOAT' }, squeeze_dims: { list: { i: ['1'] } } },
}

/** Descriptions in JSON, and the file that each is read from. */
const descriptions: Readonly<
  Record<string, readonly [unknown, (json: unknown) => Promise<object>]>
> = {
  ...Object.fromEntries(
    ['rtneural.json', 'guitarml-gru.json', 'recnet.json'].map((name) => [
      name,
      [parsed(`audio/${name}`), async (json: unknown) => ({ [name]: utf8(json) })] as const,
    ]),
  ),
  'layers of Keras': [
    chain(
      [null, 3, 2],
      [
        { className: 'TFOpLambda', config: { function: 'math.tanh' } },
        {
          className: 'TensorFlowOpLayer',
          config: {
            node_def: slice,
            constants: { '1': [0, 0, 0], '2': [1, 2, 2], '3': [1, 1, 1] },
          },
        },
        { className: 'ZeroPadding1D', config: { padding: [1, 1] } },
        { className: 'AveragePooling1D', config: { pool_size: 2, padding: 'same' } },
        { className: 'Activation', config: { activation: 'tanh' } },
      ],
    ),
    async (json) => ({ 'm.keras': await kerasArchive(json as Json) }),
  ],
  'the manifest of TF.js': [
    parsed('keras/tfjs-float32/model.json'),
    async (json) => ({
      'model.json': utf8(json),
      ...Object.fromEntries(
        ['group1-shard1of2.bin', 'group1-shard2of2.bin'].map((name) => [
          name,
          fixture(`keras/tfjs-float32/${name}`),
        ]),
      ),
    }),
  ],
}

describe('every value of a description, replaced by what no writer writes', () => {
  test.each(Object.entries(descriptions))('%s', async (_, [json, fileOf]) => {
    await load((await fileOf(json)) as never).catch(() => {})
    let runs = 0
    for (const [at, place] of [...placesOf(json)].entries()) {
      // A few for each place, others for the next: all meet every kind of place.
      for (let i = at % 4; i < hostileValues.length; i += 4) {
        const source = await fileOf(withValue(json, place, hostileValues[i]))
        runs++
        try {
          await compile(await load(source as never))
        } catch (error) {
          const { message } = error as Error
          const where = `${place.join('.')} = ${JSON.stringify(hostileValues[i]).slice(0, 60)}`
          if (/broke its reader/.test(message)) throw new Error(where, { cause: error })
          expect([where, (error as Error).name]).toEqual([where, 'GruvError'])
        }
      }
    }
    expect(runs).toBeGreaterThan(100)
  })
})

describe('names that every object of JavaScript has', () => {
  test.each(['constructor', '__proto__', 'toString'])(
    'a layer of the class %s without a name',
    async (className) => {
      const json = chain([null, 2], [{ className: 'Activation', config: { activation: 'tanh' } }])
      const bytes = await kerasArchive(
        withValue(json, ['config', 'layers', 1], { class_name: className, config: {} }) as Json,
      )
      expect(await errorOf(() => load(bytes))).not.toMatchObject({
        message: expect.stringContaining('broke its reader'),
      })
    },
  )

  test.each(['constructor', '__proto__', 'toString'])('a port called %s', async (name) => {
    const node: LayerNode = {
      kind: 'activation',
      name: 'a',
      activation: { kind: 'tanh', parameters: [] },
      conventions: [],
      inputs: { x: name },
      outputs: { y: `${name}.y` },
    }
    const model = createModel({
      name: 'm',
      source: 'test',
      inputs: [{ name, shape: ['batch', 'time', 1] }],
      outputs: [{ name: `${name}.y`, value: `${name}.y` }],
      nodes: [node],
    })
    const back = await load((await convert(model, 'm.safetensors')).bytes)
    const { pass, outputs } = verify(back, {
      input: [[1], [2]],
      expected: [[0.7615942], [0.9640276]],
    })
    expect([pass, Object.keys(outputs)]).toEqual([true, [`${name}.y`]])
  })

  test('an output called __proto__ is verified and converted like any other', async () => {
    const bytes = onnxFile({
      nodes: [{ type: 'Tanh', inputs: ['x'], output: '__proto__' }],
      inputs: { x: ['b', 't', 1] },
      outputs: ['__proto__'],
    })
    const model = await load(bytes)
    expect(Object.keys(verify(model, { input: [[1]], expected: [[0.7615942]] }).outputs)).toEqual([
      '__proto__',
    ])
    expect(Object.keys((await convert(model, 'm.safetensors')).outputs)).toEqual(['__proto__'])
  })
})

describe('structures deeper or longer than the stack', () => {
  test('functions of ONNX that call each other 20,000 deep', async () => {
    const functions = Array.from({ length: 20_000 }, (_, i) => ({
      name: `f${i}`,
      inputs: ['a'],
      outputs: ['z'],
      nodes: [{ type: `f${i + 1}`, inputs: ['a'], output: 'z', domain: 'own' }],
    }))
    const nodes = [{ type: 'f0', inputs: ['x'], output: 'y', domain: 'own' }]
    const bytes = onnxFile({ nodes, inputs: { x: ['b', 1] }, outputs: ['y'], functions })
    expect(await errorOf(() => load(bytes))).toMatchObject({ code: 'unsupported' })
  })

  test('an operator of 200,000 inputs', async () => {
    const inputs = Array.from({ length: 200_000 }, () => 'x')
    const nodes = [{ type: 'Sum', inputs, output: 'y' }]
    const bytes = onnxFile({ nodes, inputs: { x: ['b', 1] }, outputs: ['y'] })
    const error = await load(bytes).then(
      () => null,
      (thrown: Error) => thrown,
    )
    expect(error?.message ?? '').not.toContain('broke its reader')
  })

  test('a chain of 130,000 layers, more than a call takes arguments', () => {
    const layers = Array.from({ length: 130_000 }, (_, i) => ({
      class_name: 'Activation',
      config: { name: `a${i}`, activation: 'tanh' },
    }))
    const net = parseNetwork({ class_name: 'Sequential', config: { name: 'm', layers } })
    expect(net.layers.length).toBe(130_001)
  })

  test('an HDF5 name of 20,000 backslashes', async () => {
    const layer = { className: 'Dense', config: { units: 2, use_bias: false } }
    const bytes = await writeZip([
      { name: 'config.json', bytes: utf8(chain([null, 2], [layer])) },
      {
        name: 'model.weights.h5',
        bytes: await writeHdf5({}, [`layers/dense${'\\a'.repeat(20_000)}/vars`]),
      },
    ])
    expect(await errorOf(() => load(bytes))).toMatchObject({ code: 'too-large' })
  })

  test('objects of a checkpoint 20,000 deep', async () => {
    const varint = (value: number): number[] =>
      value < 128 ? [value] : [(value & 127) | 128, ...varint(value >> 7)]
    const node = (next: number): Uint8Array =>
      bytesField(
        1,
        message([
          bytesField(
            1,
            message([Uint8Array.from([8, ...varint(next)]), textField(2, 'layer_with_weights-0')]),
          ),
        ]),
      )
    const count = 20_000
    const graph = message(Array.from({ length: count }, (_, i) => node(Math.min(i + 1, count - 1))))
    const checkpoint = { bundle: new Map(), graph: readObjectGraph(graph), size: graph.length }
    expect(await errorOf(() => layersIn(checkpoint))).toMatchObject({ code: 'too-large' })
  })
})
