import { describe, expect, it } from 'vitest'
import { hasRelaxedSimd, hasSimd, hasWasm, type Scope } from '../../../src/runtime/wasm/probe.ts'
import { golden, toHex } from './support.ts'

const none = { wasm: false, simd: false, relaxedSimd: false }

const features = (scope?: Scope) => ({
  wasm: hasWasm(scope),
  simd: hasSimd(scope),
  relaxedSimd: hasRelaxedSimd(scope),
})

describe('features', () => {
  it('of this Node: modules and SIMD, and relaxed SIMD from version 22', () => {
    const relaxedSimd = Number(process.versions.node.split('.')[0]) >= 22
    expect(features()).toEqual({ wasm: true, simd: true, relaxedSimd })
  })

  it.each([
    ['without WebAssembly', {}],
    ['where WebAssembly is undefined', { WebAssembly: undefined }],
    [
      'where WebAssembly throws',
      {
        WebAssembly: {
          validate() {
            throw new Error('forbidden')
          },
        },
      },
    ],
  ])('%s there are none, and nothing is thrown', (_, scope) => {
    expect(features(scope)).toEqual(none)
  })

  it('are told apart: an engine may know modules and no more', () => {
    const WebAssembly = { validate: (bytes: Uint8Array) => bytes.length === 8 }
    expect(features({ WebAssembly })).toEqual({ ...none, wasm: true })
  })

  it('are asked for with the modules that stand there as text', () => {
    const asked: string[] = []
    const validate = (bytes: Uint8Array) => asked.push(toHex(bytes)) > 0
    features({ WebAssembly: { validate } })
    expect(asked).toEqual(Object.values(golden.probes))
  })
})
