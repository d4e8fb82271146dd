/** Tests models that PyTorch's exporter and others write, against their own numbers in float64. */

import { describe, expect, it } from 'vitest'
import { compileSync, load } from '../../../src/index.ts'
import { errorOf } from '../../support/errors.ts'
import { expectOutputs, fixture, fixtureJson, type ModelCase, tensors } from './cases.ts'

const cases = fixtureJson<Readonly<Record<string, ModelCase>>>('models.json')
/** Few steps of few units, all numbers near 1. */
const tolerance = { double: 1e-12, single: 5e-6 }

async function read(name: string) {
  const files = { [`${name}.onnx`]: fixture(`${name}.onnx`) }
  if (name !== 'external') return load(files)
  return load({ ...files, 'external.bin': fixture('external.bin') })
}

describe('ONNX models', () => {
  it.each(Object.entries(cases))('%s', async (name, { inputs, outputs, kinds }) => {
    const model = await read(name)
    if (kinds !== null) expect(model.nodes.map(({ kind }) => kind)).toEqual(kinds)
    expect(model.inputs.map((port) => port.name)).toEqual(Object.keys(inputs))
    expectOutputs(model, tensors(inputs), tensors(outputs), tolerance)
  })

  it.each(['last', 'last-unfolded', 'last-lstm', 'tf2onnx', 'residual', 'words'])(
    '%s has rows and steps of any number',
    async (name) => {
      const { inputs } = await read(name)
      expect(inputs[0].shape.slice(0, 2)).toEqual(['batch', 'time'])
    },
  )

  it('fixed extents stay fixed', async () => {
    expect((await read('last-fixed')).inputs[0].shape).toEqual([1, 7, 3])
  })

  it('steps first outside, rows first inside', async () => {
    const { inputs, outputs } = await read('every-step')
    expect(inputs[0]).toMatchObject({ shape: ['time', 'batch', 3], axes: [1, 0, 2] })
    expect(outputs[0]).toMatchObject({ shape: ['time', 'batch', 2], axes: [1, 0, 2] })
    expect(outputs[1].shape).toEqual([4, 'batch', 4])
  })

  it.each(['last', 'last-lstm', 'tf2onnx', 'residual'])('%s streams', async (name) => {
    const stream = compileSync(await read(name)).stream()
    stream.input.fill(0.5)
    stream.step()
    expect([...stream.output].some((value) => value !== 0)).toBe(true)
  })
})

describe('linear_before_reset', () => {
  it('of 0 from PyTorch is warned of, and can be overridden', async () => {
    const model = await read('reset-before')
    expect(model.warnings.join()).toContain('--reset after')
    expect(model.nodes[0]).toMatchObject({ kind: 'gru', resetAfter: false })

    const bytes = fixture('reset-before.onnx')
    const other = await load({ 'm.onnx': bytes }, { conventions: { reset: 'after' } })
    expect(other.warnings).toEqual([])
    expect(other.nodes[0]).toMatchObject({ kind: 'gru', resetAfter: true })
    // The same weights as in the other fixtures, which reset after.
    const { outputs } = cases.double
    expectOutputs(other, tensors(cases.double.inputs), tensors(outputs), tolerance)
  })

  it('of 1 is not warned of', async () => {
    expect((await read('last')).warnings).toEqual([])
  })

  it('is a convention with its origin', async () => {
    const [gru] = (await read('reset-before')).nodes
    expect(gru.conventions).toContainEqual({
      key: 'reset',
      value: 'before',
      origin: 'stated',
      why: 'linear_before_reset is 0',
    })
  })
})

describe('options', () => {
  it('conventions without a GRU, and names, are refused', async () => {
    const bytes = { 'm.onnx': fixture('simple.onnx') }
    expect(await errorOf(() => load(bytes, { conventions: { reset: 'after' } }))).toMatchObject({
      code: 'bad-argument',
    })
    expect(await errorOf(() => load(bytes, { names: { w: 'W' } }))).toMatchObject({
      code: 'bad-argument',
    })
  })
})

describe('external data', () => {
  it('is missed by name', async () => {
    const error = await errorOf(() => load({ 'm.onnx': fixture('external.onnx') }))
    expect(error.message).toContain('external.bin')
  })

  it('must be as long as the model says', async () => {
    const files = { 'm.onnx': fixture('external.onnx'), 'external.bin': new Uint8Array(10) }
    expect(await errorOf(() => load(files))).toMatchObject({ code: 'bad-file' })
  })

  it.each(['../rnal.bin', '/xternal.bin', 'a:\\rnal.bin', '..\\rnal.bin'])(
    'is not read from %s',
    async (path) => {
      const bytes = replaced(fixture('external.onnx'), 'external.bin', path.padEnd(12, 'x'))
      const files = { 'm.onnx': bytes, 'external.bin': fixture('external.bin') }
      const error = await errorOf(() => load(files))
      expect(error.message).toContain('outside its own folder')
    },
  )
})

function replaced(bytes: Uint8Array, from: string, to: string): Uint8Array {
  const text = Buffer.from(bytes).toString('latin1').replaceAll(from, to)
  return new Uint8Array(Buffer.from(text, 'latin1'))
}
