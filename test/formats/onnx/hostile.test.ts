/** Tests broken and hostile ONNX files: only GruvErrors, soon, and in little memory. */

import { BinaryWriter } from '@bufbuild/protobuf/wire'
import { describe, expect, it } from 'vitest'
import { isGruvError } from '../../../src/errors.ts'
import { readOnnxModel } from '../../../src/formats/onnx/index.ts'
import { errorOf } from '../../support/errors.ts'
import { flipBytes, shiftBytes, truncateEverywhere } from '../../support/fuzz.ts'
import { fixture } from './cases.ts'

/** Not `load`, which wraps every error in a GruvError. */
const read = (bytes: Uint8Array) => readOnnxModel({ name: 'm.onnx', bytes }, {})

describe('hostile ONNX files', () => {
  it('cut off anywhere', async () => {
    const bytes = fixture('tf2onnx.onnx')
    const report = await truncateEverywhere(bytes, read)
    expect(report.runs).toBe(bytes.length)
    expect(report.slowestMilliseconds).toBeLessThan(1000)
  })

  it.each([
    'last.onnx',
    'attention.onnx',
    'packed.onnx',
    'function.onnx',
    'convolved.onnx',
    'frames.onnx',
  ])('%s with bytes changed or moved', async (name) => {
    for (const fuzz of [flipBytes, shiftBytes]) {
      const report = await fuzz(fixture(name), read, { runs: 150, seed: 7 })
      expect(report.slowestMilliseconds).toBeLessThan(2000)
    }
  })

  it('a shape that its numbers do not fill', async () => {
    const huge = tensor('w', [2 ** 31, 2 ** 20], new Uint8Array(4))
    const error = await errorOf(() => read(model([node('Add', ['x', 'w'], ['y'])], [huge])))
    expect(error).toMatchObject({ code: 'bad-file' })
  })

  it('a constant that would grow without end', async () => {
    const thousand = (name: string, axis: number) =>
      tensor(name, [1, 1, 1].with(axis, 1000), new Uint8Array(4000))
    const nodes = [
      node('Add', ['a', 'b'], ['ab']),
      node('Add', ['ab', 'c'], ['big']),
      node('Add', ['x', 'big'], ['y']),
    ]
    const error = await errorOf(() =>
      read(model(nodes, [thousand('a', 0), thousand('b', 1), thousand('c', 2)])),
    )
    expect(error).toMatchObject({ code: 'too-large' })
  })

  it('numbers that repeat take no room of their own', async () => {
    const shape = tensor('s', [3], int64s(1000, 1000, 1000), INT64)
    const nodes = [
      node('ConstantOfShape', ['s'], ['big']),
      node('Concat', ['big', 'big'], ['bigger'], [int('axis', 0)]),
      node('Add', ['x', 'bigger'], ['y']),
    ]
    expect(await errorOf(() => read(model(nodes, [shape])))).toMatchObject({ code: 'bad-shape' })
  })

  it.each(['constructor', '__proto__'])('an activation called %s', async (name) => {
    const error = await errorOf(() => read(oneStep(name)))
    expect(error).toMatchObject({ code: 'unsupported', got: name })
  })

  it('an activation whose defaults ONNX Runtime does not follow', async () => {
    const { warnings } = await read(oneStep('ThresholdedRelu'))
    expect(warnings.join()).toContain('thresholded_relu(alpha=1)')
    const known = (await read(oneStep('LeakyRelu'))).warnings.join()
    expect(known).not.toContain('ONNX Runtime')
  })

  it('a value that doubles at every node', async () => {
    const seed = tensor('v0', [2], int64s(1, 1), INT64)
    const nodes = Array.from({ length: 40 }, (_, i) =>
      node('Concat', [`v${i}`, `v${i}`], [`v${i + 1}`], [int('axis', 0)]),
    )
    const bytes = model([...nodes, node('Reshape', ['x', 'v40'], ['y'])], [seed])
    expect(await errorOf(() => read(bytes))).toMatchObject({ code: 'too-large' })
  })

  it('an extent that doubles at every node', async () => {
    const nodes = Array.from({ length: 60 }, (_, i) =>
      node(
        'Concat',
        [i === 0 ? 'x' : `v${i}`, i === 0 ? 'x' : `v${i}`],
        [`v${i + 1}`],
        [int('axis', 0)],
      ),
    )
    const bytes = model([...nodes, node('Relu', ['v60'], ['y'])], [])
    const result = await read(bytes).catch((error: unknown) => error)
    // Written as 2⁶⁰·n it is short, and so may pass.
    expect(!(result instanceof Error) || isGruvError(result)).toBe(true)
  })

  it('a function that calls itself', async () => {
    const bytes = model([node('Again', ['x'], ['y'], [], 'own')], [], [functionThatCallsItself()])
    expect(await errorOf(() => read(bytes))).toMatchObject({ code: 'too-large' })
  })

  it('a tensor of more axes than there are', async () => {
    const deep = tensor('w', Array(100_000).fill(1), new Uint8Array(4))
    const error = await errorOf(() => read(model([node('Add', ['x', 'w'], ['y'])], [deep])))
    expect(error).toMatchObject({ code: 'too-large' })
  })

  it('a Tile of a million copies', async () => {
    const repeats = tensor('r', [2], int64s(1, 1_000_000), INT64)
    const error = await errorOf(() => read(model([node('Tile', ['x', 'r'], ['y'])], [repeats])))
    expect(error).toMatchObject({ code: 'unsupported' })
  })

  it('a graph that reads what nothing makes', async () => {
    const error = await errorOf(() => read(model([node('Relu', ['z'], ['y'])], [])))
    expect(error).toMatchObject({ code: 'bad-file' })
    expect(error.message).toContain("'z'")
  })

  it('every operator that is not read is named, in one message', async () => {
    const nodes = [
      node('Unique', ['x'], ['a']),
      node('Foo', ['a'], ['b'], [], 'my.domain'),
      node('Unique', ['b'], ['y']),
    ]
    const error = await errorOf(() => read(model(nodes, [])))
    expect(error).toMatchObject({ code: 'unsupported', got: 'Unique (2 times), my.domain.Foo' })
  })

  it('quantised models', async () => {
    const nodes = [node('DequantizeLinear', ['x', 's'], ['a']), node('Relu', ['a'], ['y'])]
    const scale = tensor('s', [], new Uint8Array(4))
    expect((await errorOf(() => read(model(nodes, [scale])))).message).toContain('quantised')
  })

  it('other versions of the operators', async () => {
    for (const version of [6, 24, 2 ** 40]) {
      const error = await errorOf(() => read(model([node('Relu', ['x'], ['y'])], [], [], version)))
      expect(error).toMatchObject({ code: 'unsupported', expected: 'from 7 to 23' })
    }
  })
})

const FLOAT = 1
const INT64 = 7

type Bytes = Uint8Array
type Part = (writer: BinaryWriter) => unknown

function message(...parts: readonly Part[]): Bytes {
  const writer = new BinaryWriter()
  for (const part of parts) part(writer)
  return writer.finish()
}

const text =
  (field: number, value: string): Part =>
  (w) =>
    w.tag(field, 2).string(value)
const bytes =
  (field: number, value: Bytes): Part =>
  (w) =>
    w.tag(field, 2).bytes(value)
const number =
  (field: number, value: number): Part =>
  (w) =>
    w.tag(field, 0).int64(value)

function int64s(...values: readonly number[]): Bytes {
  return new Uint8Array(BigInt64Array.from(values, BigInt).buffer)
}

function tensor(name: string, dims: readonly number[], raw: Bytes, type = FLOAT): Bytes {
  return message(
    ...dims.map((dim) => number(1, dim)),
    number(2, type),
    text(8, name),
    bytes(9, raw),
  )
}

function int(name: string, value: number): Bytes {
  return message(text(1, name), number(3, value))
}

function node(
  type: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes: readonly Bytes[] = [],
  domain = '',
): Bytes {
  return message(
    ...inputs.map((input) => text(1, input)),
    ...outputs.map((output) => text(2, output)),
    text(4, type),
    ...attributes.map((attribute) => bytes(5, attribute)),
    text(7, domain),
  )
}

function functionThatCallsItself(): Bytes {
  const call = node('Again', ['a'], ['b'], [], 'own')
  return message(text(1, 'Again'), text(4, 'a'), text(5, 'b'), bytes(7, call), text(10, 'own'))
}

/** An RNN over one step with an activation of that name. */
function oneStep(name: string): Bytes {
  const activations = message(text(1, 'activations'), text(9, name))
  const nodes = [
    node('Unsqueeze', ['x', 'axes'], ['rows']),
    node('RNN', ['rows', 'w', 'r'], ['y'], [activations]),
  ]
  const tensors = [
    tensor('axes', [1], int64s(0), INT64),
    tensor('w', [1, 1, 3], new Uint8Array(12)),
    tensor('r', [1, 1, 1], new Uint8Array(4)),
  ]
  return model(nodes, tensors)
}

/** From x [n, 3] to y. */
function model(
  nodes: readonly Bytes[],
  tensors: readonly Bytes[],
  functions: readonly Bytes[] = [],
  version = 17,
): Bytes {
  const dims = message(bytes(1, message(text(2, 'n'))), bytes(1, message(number(1, 3))))
  const type = message(bytes(1, message(number(1, FLOAT), bytes(2, dims))))
  const graph = message(
    ...nodes.map((each) => bytes(1, each)),
    ...tensors.map((each) => bytes(5, each)),
    bytes(11, message(text(1, 'x'), bytes(2, type))),
    bytes(12, message(text(1, 'y'))),
  )
  return message(
    number(1, 8),
    bytes(7, graph),
    bytes(8, message(number(2, version))),
    ...functions.map((each) => bytes(25, each)),
  )
}
