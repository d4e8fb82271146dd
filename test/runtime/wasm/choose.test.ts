/** Which engine a program gets, and what it says about it. */

import { describe, expect, it, vi } from 'vitest'
import { compile, compileSync } from '../../../src/index.ts'
import { sequential } from '../../../src/model/index.ts'
import { features } from '../../../src/runtime/wasm/probe.ts'
import { bits, both, bothWays, twoLayersSideBySide } from '../../support/engines.ts'
import { randomGru } from '../../support/random.ts'

describe('which engine', () => {
  const model = sequential([randomGru(1, 3, 5)])

  it('auto takes WebAssembly, fused unless the bits must be the same everywhere', async () => {
    const fused = features().relaxedSimd
    for (const program of [compileSync(model), await compile(model)]) {
      expect(program.engine).toEqual({
        kind: 'wasm',
        simd: fused ? 'relaxed' : 'simd128',
        precision: 'f32',
        deterministic: !fused,
        fallbacks: [],
      })
    }
    expect((await compile(model, { deterministic: true })).engine.simd).toBe('simd128')
  })

  it('float64 falls back as a whole, and is refused where WebAssembly is asked for', async () => {
    expect(compileSync(model, { precision: 'f64' }).engine).toMatchObject({
      kind: 'js',
      fallbacks: [{ node: null, why: 'float64 runs in JavaScript' }],
    })
    const options = { precision: 'f64', engine: 'wasm' } as const
    expect(() => compileSync(model, options)).toThrow('float64')
    await expect(compile(model, options)).rejects.toMatchObject({ code: 'engine-unavailable' })
  })

  it('a host that forbids compiling gets JavaScript and the reason, or an error', async () => {
    function forbid(): never {
      throw new WebAssembly.CompileError('unsafe-eval is not allowed')
    }
    vi.spyOn(WebAssembly, 'Module').mockImplementation(forbid)
    vi.spyOn(WebAssembly, 'compile').mockImplementation(async () => forbid())
    try {
      // No other test compiles this shape: code that was compiled before would be found.
      const novel = sequential([randomGru(1, 71, 5)])
      for (const program of [compileSync(novel), await compile(novel)]) {
        expect(program.engine).toMatchObject({ kind: 'js', fallbacks: [{ node: null }] })
        expect(program.engine.fallbacks[0].why).toContain('unsafe-eval')
      }
      const options = { engine: 'wasm' } as const
      expect(() => compileSync(novel, options)).toThrow('unsafe-eval')
      await expect(compile(novel, options)).rejects.toMatchObject({ code: 'engine-unavailable' })
    } finally {
      vi.restoreAllMocks()
    }
  })

  it('steps through a stage where one kernel is JavaScript, with the same bits', () => {
    const twins = twoLayersSideBySide()
    const [js, wasm] = both(twins).map((program) => program.stream())
    expect(both(twins)[1].engine.fallbacks.map(({ node }) => node)).toEqual(['merge'])
    for (let t = 0; t < 5; t++) {
      for (const stream of [js, wasm]) {
        stream.input.set([t, -t, 0.5])
        stream.step()
      }
      expect(bits({ data: wasm.output })).toEqual(bits({ data: js.output }))
    }
  })

  it('a kernel without a WebAssembly version falls back alone, and is named', () => {
    const { fallbacks } = compileSync(sequential([bothWays(2, 3)])).engine
    expect(fallbacks).toHaveLength(1)
    expect(fallbacks[0].why).toContain('merge')
  })
})
