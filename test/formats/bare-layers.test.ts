/** Tests layers from named arrays: which array is which, what is implied, what is assumed. */

import { describe, expect, it } from 'vitest'
import { writeNpz } from '../../src/bytes/numpy/npz.ts'
import { writeSafetensors } from '../../src/bytes/safetensors.ts'
import {
  compileSync,
  type LoadOptions,
  load,
  type Model,
  type Named,
  type Tensor,
} from '../../src/index.ts'
import type { GruNode } from '../../src/model/index.ts'
import { joinGates } from '../../src/model/index.ts'
import { random, tensor } from '../support/random.ts'

const [features, units] = [3, 4]
const next = random(1)
const kernel = tensor(next, [features, 3 * units])
const recurrent = tensor(next, [units, 3 * units])
const bias = tensor(next, [2, 3 * units])
const seed: Named<Tensor> = { wMatrix: kernel, uMatrix: recurrent, biases: bias }

async function layer(tensors: Named<Tensor>, options: LoadOptions = {}): Promise<Model> {
  return load({ 'layer.npz': await writeNpz(tensors) }, options)
}

function conventionsOf(model: Model): Readonly<Record<string, readonly [string, string]>> {
  return Object.fromEntries(
    model.nodes[0].conventions.map(({ key, value, origin }) => [key, [value, origin]]),
  )
}

describe('conventions of a bare layer', () => {
  it('the seed’s names: Keras is assumed, the reset is read off the biases, and a warning says so', async () => {
    const model = await layer(seed)
    expect(conventionsOf(model)).toEqual({
      gateOrder: ['zrn', 'assumed'],
      transposed: ['no', 'implied'],
      reset: ['after', 'implied'],
      update: ['keeps', 'assumed'],
      bias: ['separate', 'implied'],
      activation: ['tanh', 'assumed'],
      recurrentActivation: ['sigmoid', 'assumed'],
    })
    expect(model.warnings.join()).toContain('the gate order, the update gate')
    expect(model.outputs[0].shape).toEqual(['batch', 'time', units])
  })

  it('one row of biases means reset before, as Keras writes it', async () => {
    const model = await layer({ ...seed, biases: tensor(next, [3 * units]) })
    expect(conventionsOf(model)).toMatchObject({
      reset: ['before', 'implied'],
      bias: ['merged', 'implied'],
    })
  })

  it('no biases: reset after is assumed', async () => {
    const { biases: _, ...bare } = seed
    expect(conventionsOf(await layer(bare))).toMatchObject({
      reset: ['after', 'assumed'],
      bias: ['none', 'implied'],
    })
  })

  it('PyTorch’s names imply PyTorch’s order and layout', async () => {
    const model = await layer({
      'rnn.weight_ih_l0': tensor(next, [3 * units, features]),
      'rnn.weight_hh_l0': tensor(next, [3 * units, units]),
      'rnn.bias_ih_l0': tensor(next, [3 * units]),
      'rnn.bias_hh_l0': tensor(next, [3 * units]),
    })
    expect(conventionsOf(model)).toMatchObject({
      gateOrder: ['rzn', 'implied'],
      transposed: ['yes', 'implied'],
      reset: ['after', 'implied'],
    })
  })

  it('what the caller says goes first', async () => {
    const model = await layer(seed, {
      conventions: {
        gateOrder: 'rzn',
        reset: 'before',
        update: 'updates',
        bias: 'merged',
        recurrentActivation: 'hard_sigmoid',
      },
    })
    expect(conventionsOf(model)).toMatchObject({
      gateOrder: ['rzn', 'chosen'],
      reset: ['before', 'chosen'],
      update: ['updates', 'chosen'],
      bias: ['merged', 'chosen'],
      recurrentActivation: ['hard_sigmoid(alpha=0.2, beta=0.5)', 'chosen'],
    })
  })

  it('numbers stay the source’s own: split and joined, they are the same bits', async () => {
    for (const gateOrder of ['zrn', 'rzn', 'znr', 'rnz', 'nzr', 'nrz'] as const) {
      const { nodes } = await layer(seed, { conventions: { gateOrder } })
      const { weights } = nodes[0] as GruNode
      expect(joinGates(weights.kernel, gateOrder).data).toEqual(kernel.data)
      expect(joinGates(weights.recurrentKernel, gateOrder).data).toEqual(recurrent.data)
    }
  })

  it('a transposed file is the same layer', async () => {
    const flip = ({ shape: [rows, columns], data }: Tensor): Tensor => ({
      shape: [columns, rows],
      data: Float32Array.from(data, (_, i) => data[(i % rows) * columns + Math.floor(i / rows)]),
    })
    const x = tensor(next, [5, features])
    const straight = compileSync(await layer(seed)).predict(x).y
    const flipped = await layer({ ...seed, wMatrix: flip(kernel), uMatrix: flip(recurrent) })
    expect(compileSync(flipped).predict(x).y).toEqual(straight)
  })

  it('--names chooses among arrays of any name', async () => {
    const strange = { first: kernel, second: recurrent, third: bias }
    await expect(layer(strange)).rejects.toThrow(/first \[3, 12\].*--names/)
    const model = await layer(strange, { names: { w: 'first', u: 'second', b: 'third' } })
    expect((model.nodes[0] as GruNode).units).toBe(units)
    await expect(layer(strange, { names: { w: 'first', u: 'nowhere' } })).rejects.toThrow(
      "no array 'nowhere'",
    )
  })

  it('arrays that are left over are named', async () => {
    expect((await layer({ ...seed, other: kernel })).warnings.join()).toContain('not used: other')
  })

  it('weights that are not finite are a warning, with their number and place', async () => {
    const bad = { ...kernel, data: kernel.data.slice() }
    bad.data[5] = Number.NaN
    expect((await layer({ ...seed, wMatrix: bad })).warnings.join()).toMatch(
      /1 of 12 numbers in kernel\.r .* NaN, at index 1/,
    )
  })

  it('JSON and bare safetensors hold the same layer', async () => {
    const x = tensor(next, [5, features])
    const expected = compileSync(await layer(seed)).predict(x).y
    const nested = ({ shape, data }: Tensor): number[][] =>
      Array.from({ length: shape[0] }, (_, i) =>
        Array.from(data.subarray(i * shape[1], (i + 1) * shape[1])),
      )
    const json = JSON.stringify(
      Object.fromEntries(Object.entries(seed).map(([name, each]) => [name, nested(each)])),
    )
    const fromJson = await load({ 'layer.json': new TextEncoder().encode(json) })
    const fromSafetensors = await load({
      'layer.safetensors': writeSafetensors({ metadata: {}, tensors: seed }),
    })
    expect(compileSync(fromJson).predict(x).y).toEqual(expected)
    expect(compileSync(fromSafetensors).predict(x).y).toEqual(expected)
  })
})

describe('arrays that are no layer are refused with what is there', () => {
  it.each<[string, Named<Tensor>, RegExp]>([
    [
      'a kernel of another layer',
      { ...seed, wMatrix: tensor(next, [3, 15]) },
      /expected \[features, 12\], got \[3, 15\]/,
    ],
    [
      'kernels swapped',
      { ...seed, wMatrix: recurrent, uMatrix: kernel },
      /\[units, 3·units\].*got \[3, 12\]/,
    ],
    [
      'a bias that is too long',
      { ...seed, biases: tensor(next, [3, 12]) },
      /\[12\], \[2, 12\] or \[24\], got \[3, 12\]/,
    ],
    [
      'a kernel with three axes',
      { ...seed, wMatrix: tensor(next, [1, 3, 12]) },
      /two axes.*got \[1, 3, 12\]/,
    ],
    ['nothing', {}, /empty zip archive/],
  ])('%s', async (_, tensors, message) => {
    await expect(layer(tensors)).rejects.toThrow(message)
    await expect(layer(tensors)).rejects.toMatchObject({
      name: 'GruvError',
      where: expect.stringContaining('layer.npz'),
    })
  })
})
