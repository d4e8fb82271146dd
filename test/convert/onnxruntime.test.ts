/**
 * Our ONNX files in ONNX Runtime, a dependency of bench/: these tests need `npm run bench` once.
 */

import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { describe, expect, it } from 'vitest'
import { convert } from '../../src/convert/index.ts'
import { randomInputs } from '../../src/convert/inputs.ts'
import { compileSync } from '../../src/index.ts'
import { type ModelName, models } from './models.ts'

interface Ort {
  readonly InferenceSession: {
    create(
      bytes: Uint8Array,
      options: object,
    ): Promise<{
      run(feeds: object): Promise<Readonly<Record<string, { readonly data: Float32Array }>>>
    }>
  }
  readonly Tensor: new (type: string, data: unknown, shape: readonly number[]) => object
}

const there = existsSync('bench/node_modules/onnxruntime-node')
const ort = there
  ? (createRequire(new URL('../../bench/package.json', import.meta.url))('onnxruntime-node') as Ort)
  : null

describe.skipIf(!there)('ONNX Runtime (in bench/node_modules, where that is installed)', () => {
  it.each(Object.keys(models) as ModelName[])('%s', async (name) => {
    const model = models[name]
    const { bytes } = await convert(model, 'm.onnx')
    const session = await ort!.InferenceSession.create(bytes, { logSeverityLevel: 3 })
    const inputs = randomInputs(model)
    const feeds = Object.entries(inputs).map(([key, { data, shape }]) => [
      key,
      new ort!.Tensor('float32', data, shape),
    ])
    const results = await session.run(Object.fromEntries(feeds))
    const expected = compileSync(model, { precision: 'f64' }).predict(inputs)
    for (const [key, { data }] of Object.entries(expected)) {
      const off = data.map((value, i) => Math.abs(value - results[key].data[i]))
      expect(results[key].data.length).toBe(data.length)
      expect(Math.max(...off)).toBeLessThan(1e-6)
    }
  })
})
