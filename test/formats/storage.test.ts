/** Tests trained numbers in fewer bits, and reference data inside a file. */

import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { readSafetensors, writeSafetensors } from '../../src/bytes/safetensors.ts'
import { writeSafetensorsModel } from '../../src/formats/gruv/write.ts'
import { compileSync, load } from '../../src/index.ts'
import { createModel } from '../../src/model/graph.ts'
import { type DenseNode, dense, type GruNode, gru, sequential } from '../../src/model/index.ts'
import type { Model } from '../../src/model/types.ts'
import { errorOf } from '../support/errors.ts'
import { random, randomArrays, tensor } from '../support/random.ts'

const next = random(7)
const arrays = randomArrays(3, 5, 6, 3)
const head = { kernel: tensor(next, [6, 2]), bias: tensor(next, [2]) }
const model = sequential([gru({ ...arrays, name: 'gru' }), dense(head)])
const x = tensor(next, [2, 9, 5])

function withReference(plain: Model): Model {
  const { y } = compileSync(plain, { precision: 'f64' }).predict({ x })
  return createModel({ ...plain, reference: { inputs: { x }, outputs: { y } } })
}

describe('storage of trained numbers', () => {
  it.each([
    ['f16', 2 ** -11, 'F16'],
    ['bf16', 2 ** -8, 'BF16'],
  ] as const)('%s: every number to half a unit in its last place', async (storage, unit, dtype) => {
    const bytes = writeSafetensorsModel(model, storage)
    const { kernel } = ((await load(bytes)).nodes[0] as GruNode).weights
    const before = (model.nodes[0] as GruNode).weights.kernel
    for (const gate of ['z', 'r', 'n'] as const) {
      kernel[gate].data.forEach((value, i) => {
        const was = before[gate].data[i]
        expect(Math.abs(value - was)).toBeLessThanOrEqual(unit * Math.abs(was) + 2 ** -25)
      })
    }
    expect(new TextDecoder('latin1').decode(bytes.subarray(0, 4096))).toContain(`"${dtype}"`)
  })

  it.each([false, true])(
    'int8: every number to half a step of its column, transposed %s',
    async (transposed) => {
      const flip = ({ shape: [rows, columns], data }: typeof arrays.kernel) => ({
        shape: [columns, rows],
        data: Float32Array.from(data, (_, i) => data[(i % rows) * columns + Math.floor(i / rows)]),
      })
      const { kernel, recurrentKernel, bias } = arrays
      const turned = {
        kernel: flip(kernel),
        recurrentKernel: flip(recurrentKernel),
        bias,
        transposed,
      }
      const source = sequential([gru(transposed ? turned : arrays)])
      const bytes = writeSafetensorsModel(source, 'int8')
      const { metadata, tensors } = readSafetensors(bytes)
      const { nodes } = JSON.parse(metadata.gruv) as { nodes: { scales: Record<string, string> }[] }
      const scale = tensors[nodes[0].scales.kernel]
      expect(scale.shape).toEqual(transposed ? [18, 1] : [1, 18])
      expect(tensors['gru.kernel'].dtype).toBe('int8')
      expect(tensors['gru.bias'].dtype).toBe('float32')

      const read = (await load(bytes)).nodes[0] as GruNode
      const were = (source.nodes[0] as GruNode).weights
      for (const [g, gate] of (['z', 'r', 'n'] as const).entries()) {
        read.weights.kernel[gate].data.forEach((value, i) => {
          const step = scale.data[6 * g + (i % 6)]
          const off = Math.abs(value - were.kernel[gate].data[i])
          expect(off).toBeLessThanOrEqual(0.5000001 * step + 1e-9)
        })
        expect(read.weights.inputBias?.[gate].data).toEqual(were.inputBias?.[gate].data)
      }
    },
  )

  it('a number that does not fit is refused before anything is written', async () => {
    const kernel = { shape: [1, 1], data: Float32Array.of(70000) }
    const large = sequential([dense({ kernel })])
    expect((await errorOf(() => writeSafetensorsModel(large, 'f16'))).message).toMatch(
      /dense: kernel.*too large for f16.*70000/,
    )
    expect(() => writeSafetensorsModel(large, 'bf16')).not.toThrow()
    kernel.data[0] = Number.NaN
    expect((await errorOf(() => writeSafetensorsModel(large, 'int8'))).message).toMatch(/finite/)
  })

  it('a column of zeros stays one', async () => {
    const kernel = { shape: [2, 2], data: Float32Array.of(0, 1, -0, 2) }
    const { nodes } = await load(writeSafetensorsModel(sequential([dense({ kernel })]), 'int8'))
    const { data } = (nodes[0] as DenseNode).weights.kernel
    expect(Array.from(data)).toEqual([
      0,
      expect.closeTo((64 * 2) / 127, 6),
      0,
      expect.closeTo(2, 6),
    ])
  })

  it('a scale of another shape is refused', async () => {
    const { metadata, tensors } = readSafetensors(writeSafetensorsModel(model, 'int8'))
    const wrong = { ...tensors, 'gru.scale.kernel': { shape: [18], data: new Float32Array(18) } }
    const error = await errorOf(() => load(writeSafetensors({ metadata, tensors: wrong })))
    expect(error.message).toMatch(/scales\.kernel.*does not fit.*\[5, 18\].*\[18\]/)
  })
})

describe('load with verify', () => {
  const written = writeSafetensorsModel(withReference(model))

  it('passes where the outputs are those in the file', async () => {
    expect((await load(written, { verify: true })).reference).not.toBeNull()
  })

  it('says by how much they are off, and where', async () => {
    const { metadata, tensors } = readSafetensors(written)
    const bias = tensors['dense.bias']
    bias.data[1] += 0.25
    const changed = writeSafetensors({ metadata, tensors })
    const error = await errorOf(() => load(changed, { verify: true, name: 'm.safetensors' }))
    expect(error.code).toBe('differs')
    expect(error.where).toBe('m.safetensors: output y')
    expect(error.got).toMatch(/^2\.50e-1, and 18 of 36 numbers/)
    await expect(load(changed)).resolves.toBeDefined()
  })

  it('needs reference data', async () => {
    const error = await errorOf(() => load(writeSafetensorsModel(model), { verify: true }))
    expect(error).toMatchObject({ code: 'not-found', where: 'model: verify' })
    const example = readFileSync('examples/seattle-weather/layer.npz')
    expect((await errorOf(() => load(example, { verify: true }))).code).toBe('not-found')
  })
})
