/** Tests ONNX models of other projects, against the outputs of ONNX Runtime and onnx's own tests. */

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { BinaryReader, BinaryWriter } from '@bufbuild/protobuf/wire'
import { describe, expect, it } from 'vitest'
import { readMessage } from '../../../src/bytes/protobuf/read.ts'
import { readData } from '../../../src/data/index.ts'
import { tensorMessage } from '../../../src/formats/onnx/proto.ts'
import { decodeTensor } from '../../../src/formats/onnx/tensors.ts'
import { compileSync, load, type Model } from '../../../src/index.ts'
import type { Named, Tensor } from '../../../src/tensor.ts'
import { errorOf } from '../../support/errors.ts'
import { haveShared, sharedPath } from '../../support/shared.ts'
import { streamed } from '../../support/steps.ts'
import { expectOutputs } from './cases.ts'

/** ONNX Runtime's own float32 rounding; gruv's comes on top where it rounds too. */
const tolerance = { double: 2e-5, single: 4e-5 }

describe.skipIf(!haveShared)('ONNX models of others', () => {
  const folders = (parent: string, wanted: RegExp): string[] =>
    haveShared ? readdirSync(sharedPath(parent)).filter((name) => wanted.test(name)) : []

  it.each(folders('models', /^onnx-/))('%s', async (name) => {
    const folder = sharedPath(`models/${name}`)
    const model = await load(`${folder}/${readdirSync(folder).find((f) => f.endsWith('.onnx'))}`)
    await compare(model, folder)
  })

  it.each(folders('vectors/ort-grid', /^g\d+$/))('ort-grid %s', async (name) => {
    const folder = sharedPath(`vectors/ort-grid/${name}`)
    const model = await load(`${folder}/model.onnx`)
    await compare(model, folder)
    // Causal, but for rows that end early.
    const [gru, ...more] = model.nodes
    const causal = more.length === 0 && gru.kind === 'gru' && gru.direction === 'forward'
    if (causal && gru.inputs.lengths === undefined)
      expect(compileSync(model).plan.obstacle).toBeNull()
  })

  it.each(folders('vectors/onnx-node', /^test_/))('onnx-node %s', async (name) => {
    const folder = sharedPath(`vectors/onnx-node/${name}`)
    const data = (kind: string, at: number): Uint8Array | null => {
      const path = `${folder}/test_data_set_0/${kind}_${at}.pb`
      return existsSync(path) ? new Uint8Array(readFileSync(path)) : null
    }
    const weights = [1, 2, 3].flatMap((at) => data('input', at) ?? [])
    const bytes = withInitializers(new Uint8Array(readFileSync(`${folder}/model.onnx`)), weights)
    const model = await load({ 'model.onnx': bytes })
    const outputs = await Promise.all(
      model.outputs.map(async (port, at) => [port.name, await tensorOf(data('output', at)!)]),
    )
    const inputs = { [model.inputs[0].name]: await tensorOf(data('input', 0)!) }
    // The runner of these tests allows a relative 1e-3; the weights are float32.
    const close = { double: 1e-6, single: 2e-6 }
    expectOutputs(model, inputs, Object.fromEntries(outputs), close)
  })

  it('a GRU inside of a Loop is refused by name', async () => {
    const error = await errorOf(() =>
      load(sharedPath('models/cnn-gru-loop-onnx/cnn_gru_model.onnx')),
    )
    expect(error).toMatchObject({ code: 'unsupported' })
    expect(error.message).toContain('Loop (2 times)')
  })
})

async function compare(model: Model, folder: string): Promise<void> {
  const read = async (paths: readonly string[]): Promise<Tensor> => {
    const path = paths.map((name) => `${folder}/${name}.npy`).find(existsSync)!
    return (await readData(readFileSync(path), path)).tensors.data
  }
  const all = async (
    names: readonly string[],
    prefixes: readonly string[],
  ): Promise<Named<Tensor>> =>
    Object.fromEntries(
      await Promise.all(
        names.map(async (name) => [name, await read(prefixes.map((each) => each + name))] as const),
      ),
    )
  const inputs = await all(
    model.inputs.map(({ name }) => name),
    ['in_', ''],
  )
  const outputs = await all(
    model.outputs.map(({ name }) => name),
    ['ort_'],
  )
  expectOutputs(model, inputs, outputs, tolerance)
  expectStreams(model, inputs)
}

/** A model that streams gives, row by row, the numbers of `predict`. */
function expectStreams(model: Model, inputs: Named<Tensor>): void {
  const program = compileSync(model, { precision: 'f64' })
  if (program.plan.obstacle !== null) return
  const whole = program.predict(inputs)
  const [clock] = model.inputs
  const { shape } = inputs[clock.name]
  const [rows, steps] = (clock.axes ?? [0, 1]).map((axis) => shape[axis])
  for (let row = 0; row < rows; row++) {
    const given = Object.fromEntries(
      model.inputs.map(({ name, axes }) => [name, rowOf(inputs[name], axes?.[0] ?? 0, row)]),
    )
    const found = streamed(program, given, steps)
    for (const { name, axes } of model.outputs) {
      const { data } = rowOf(whole[name], axes?.[0] ?? 0, row)
      const last = found[name].slice(-data.length)
      expect(last.length).toBe(data.length)
      // Sums in another order at most: some roundings of float64.
      data.forEach((value, i) => {
        if (!(Math.abs(last[i] - value) <= 1e-12 * Math.max(1, Math.abs(value))))
          expect([name, row, i, last[i]]).toEqual([name, row, i, value])
      })
    }
  }
}

function rowOf({ shape, data }: Tensor, axis: number, row: number): Tensor {
  const inner = shape.slice(axis + 1).reduce((product, extent) => product * extent, 1)
  const kept = Array.from(data).filter((_, i) => Math.floor(i / inner) % shape[axis] === row)
  return { shape: shape.with(axis, 1), data: Float64Array.from(kept) }
}

async function tensorOf(bytes: Uint8Array): Promise<Tensor> {
  return decodeTensor(readMessage(bytes, tensorMessage), new Map())
}

/** The model with tensors as part of its graph that its own tests give as inputs. */
function withInitializers(model: Uint8Array, tensors: readonly Uint8Array[]): Uint8Array {
  const GRAPH = 7
  const INITIALIZER = 5
  const reader = new BinaryReader(model)
  const writer = new BinaryWriter()
  while (reader.pos < model.length) {
    const from = reader.pos
    const [number, wireType] = reader.tag()
    if (number !== GRAPH) {
      reader.skip(wireType)
      writer.raw(model.subarray(from, reader.pos))
      continue
    }
    writer.tag(GRAPH, 2).fork().raw(reader.bytes())
    for (const tensor of tensors) writer.tag(INITIALIZER, 2).bytes(tensor)
    writer.join()
  }
  return writer.finish()
}
