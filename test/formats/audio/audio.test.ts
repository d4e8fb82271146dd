/** Tests the project's own audio models, and damaged ones. */

import { readdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { readNpz } from '../../../src/bytes/numpy/npz.ts'
import { compileSync, type GruvError, load } from '../../../src/index.ts'
import { runReference } from '../../../src/runtime/reference/index.ts'
import { errorOf } from '../../support/errors.ts'
import { fixture as anyFixture } from '../../support/fixtures.ts'
import { flipBytes, shiftBytes, truncateEverywhere } from '../../support/fuzz.ts'

const folder = new URL('../../fixtures/audio/', import.meta.url)

const fixture = (name: string): Uint8Array => anyFixture(`audio/${name}`)

const models = readdirSync(folder).filter((name) => /\.(json|rnnn)$/.test(name))

describe('models for audio', () => {
  it.each(models)('%s gives the numbers of PyTorch and NumPy', async (name) => {
    const model = await load(fixture(name))
    const { x, ...expected } = await readNpz(fixture(name.replace(/\.\w+$/, '.npz')))
    const outputs = [
      runReference(model, { x }).outputs,
      compileSync(model, { precision: 'f64' }).predict({ x }),
      compileSync(model).predict({ x }),
    ]
    expect(Object.keys(outputs[0])).toEqual(Object.keys(expected))
    for (const [which, output] of outputs.entries()) {
      for (const [port, { data }] of Object.entries(expected)) {
        const off = data.map((each, i) => Math.abs(each - output[port].data[i]))
        expect(Math.max(...off)).toBeLessThan(which < 2 ? 1e-12 : 1e-5)
      }
    }
  })

  // Convolutions of several groups run on whole sequences only.
  const streaming = models.filter((name) => name !== 'rtneural.json')

  it.each(streaming)('%s runs step by step', async (name) => {
    const program = compileSync(await load(fixture(name)))
    expect(() => program.stream().step()).not.toThrow()
  })

  it('GuitarML’s sequences have time first, as in the framework', async () => {
    const { inputs, outputs } = await load(fixture('guitarml-gru.json'))
    expect(inputs[0].shape).toEqual(['time', 'batch', 1])
    expect(outputs[0].shape).toEqual(['time', 'batch', 1])
  })

  it('conventions are those of the format, and say so', async () => {
    const model = await load(fixture('small.rnnn'))
    const gru = model.nodes.find(({ name }) => name === 'noise_gru')!
    expect(gru).toMatchObject({ resetAfter: false, update: 'keeps', bias: 'merged' })
    expect(gru.conventions.map(({ origin }) => origin)).not.toContain('assumed')
    const error = await errorOf(() =>
      load(fixture('rtneural.json'), { conventions: { reset: 'before' } }),
    )
    expect(error.code).toBe('bad-argument')
  })
})

/** The fixture with something changed, as the bytes of a file. */
function changed(name: string, change: (json: Record<string, never>) => void): Uint8Array {
  const json = JSON.parse(new TextDecoder().decode(fixture(name))) as Record<string, never>
  change(json)
  return new TextEncoder().encode(JSON.stringify(json))
}

type Layers = { layers: Record<string, unknown>[]; in_skip: number }

describe('what is refused, and how', () => {
  const rtneural = (change: (json: Layers) => void) => () =>
    load(changed('rtneural.json', (json) => change(json as unknown as Layers)))

  it.each([
    ['a layer that gruv does not read', 'unsupported', /conv2d.*is not read/, 'type', 'conv2d'],
    ['a shape that the weights do not have', 'bad-file', /expected \[2, 7\]/, 'shape', [7]],
    ['an unknown activation', 'unsupported', /no activation/, 'activation', 'wavy'],
    ['layers over frequencies', 'unsupported', /4 axes/, 'shape', [null, null, 2, 2]],
    ['no weights', 'bad-file', /weights\[0\]/, 'weights', []],
    ['ragged weights', 'bad-shape', /regular block/, 'weights', [[[1, 2], [3]], [1]]],
  ])('%s', async (_, code, message, key, value) => {
    const error = await errorOf(
      rtneural(({ layers }) => Object.assign(layers[0], { [key]: value })),
    )
    expect(error.code).toBe(code)
    expect(error.message).toMatch(message)
  })

  it('a residual connection wider than the input', async () => {
    const error = await errorOf(rtneural((json) => Object.assign(json, { in_skip: 3 })))
    expect(error).toMatchObject({ code: 'unsupported', where: 'model: skip' })
  })

  it('an activation that RTNeural does not run is a warning', async () => {
    const model = await rtneural(({ layers }) => Object.assign(layers[4], { activation: 'relu' }))()
    expect(model.warnings.join()).toMatch(/layers\[4\].*RTNeural itself runs tanh/)
  })

  it.each([
    ['another network', { model: 'WaveNet' }, /kind 'WaveNet' is not read/],
    ['another cell than the arrays have', { unit_type: 'LSTM' }, /expected gru.*got LSTM/],
    ['another size than the arrays have', { hidden_size: 8 }, /expected 5.*got 8/],
    ['an object that cannot become text', { unit_type: { toString: 1 } }, /got \{"toString":1\}/],
    ['a residual connection that is no number', { skip: 'yes' }, /a whole number from 0/],
  ])('GuitarML: %s', async (_, data, message) => {
    const bytes = changed('guitarml-gru.json', (json) => Object.assign(json.model_data, data))
    expect((await errorOf(() => load(bytes))).message).toMatch(message)
  })

  it('GuitarML: a description without weights', async () => {
    const bytes = changed('guitarml-gru.json', (json) => delete json.state_dict)
    const error = await errorOf(() => load(bytes))
    expect(error.code).toBe('bad-file')
    expect(error.message).toMatch(/state_dict: .*holds no weights/)
  })

  const rnnoise = new TextDecoder().decode(fixture('small.rnnn'))

  it.each([
    ['another version', rnnoise.replace('version 1', 'version 2'), /expected .*version 1/],
    ['a size that is not there', rnnoise.replace('6 4 0', '6 128 0'), /input_dense/],
    ['layers that do not fit', rnnoise.replace('\n13 5 2', '\n12 5 2'), /noise_gru.*13 inputs/],
    ['an activation that is none', rnnoise.replace('6 4 0', '6 4 3'), /from 0 to 2/],
    ['a weight that is no byte', rnnoise.replace(/(6 4 0\n)-?\d+/, '$1128'), /input_dense/],
    ['more than it needs', `${rnnoise}7\n`, /1 more numbers/],
  ])('RNNoise: %s', async (_, text, message) => {
    const error = await errorOf(() => load(new TextEncoder().encode(text)))
    expect(error.code).toMatch(/bad-file|unsupported/)
    expect(error.message).toMatch(message)
  })

  it.each(['aidax.json', 'guitarml-gru.json', 'recnet.json', 'small.rnnn'])(
    '%s broken in any way gives a GruvError, soon',
    async (name) => {
      // `load` wraps every error in a GruvError, and says so.
      const read = (bytes: Uint8Array) =>
        load(bytes).catch((error: Error) => {
          if (/broke its reader/.test(error.message)) throw (error as GruvError).cause
          throw error
        })
      const bytes = fixture(name)
      const reports = [
        await truncateEverywhere(bytes.subarray(0, 2000), read),
        await flipBytes(bytes, read, { runs: 200, seed: 11 }),
        await shiftBytes(bytes, read, { runs: 100, seed: 12 }),
      ]
      for (const { slowestMilliseconds } of reports) expect(slowestMilliseconds).toBeLessThan(1000)
    },
  )
})
