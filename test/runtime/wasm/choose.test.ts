/** Which engine a program gets, and what it says about it. */

import { describe, expect, it, vi } from 'vitest'
import { compile, compileSync } from '../../../src/index.ts'
import { createModel } from '../../../src/model/graph.ts'
import { type Model, sequential } from '../../../src/model/index.ts'
import type { LayerNode } from '../../../src/model/types.ts'
import { hasRelaxedSimd } from '../../../src/runtime/wasm/probe.ts'
import { bits, both } from '../../support/engines.ts'
import { randomGru, randomTensor } from '../../support/random.ts'

describe('which engine', () => {
  const model = sequential([randomGru(1, 3, 5)])

  it('auto takes WebAssembly, fused unless the bits must be the same everywhere', async () => {
    const fused = hasRelaxedSimd()
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

  it('float64 runs there too, never fused', async () => {
    for (const program of [
      compileSync(model, { precision: 'f64' }),
      await compile(model, { precision: 'f64', engine: 'wasm', deterministic: false }),
    ]) {
      expect(program.engine).toEqual({
        kind: 'wasm',
        simd: 'simd128',
        precision: 'f64',
        deterministic: true,
        fallbacks: [],
      })
    }
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

  it('a layer without a WebAssembly kernel falls back alone, in the middle of a stage, and is named', () => {
    for (const precision of ['f32', 'f64'] as const) {
      const [js, wasm] = both(embedded(), { precision })
      expect(wasm.engine.fallbacks).toEqual([
        { node: 'embedding', why: 'the table stays outside the memory' },
      ])
      const streams = [js, wasm].map((program) => program.stream())
      for (let t = 0; t < 5; t++) {
        for (const stream of streams) {
          stream.input[0] = t
          stream.step()
        }
        expect(bits({ data: streams[1].output })).toEqual(bits({ data: streams[0].output }))
      }
    }
  })
})

/** Tokens to vectors to a recurrent layer. */
function embedded(): Model {
  const [node] = sequential([randomGru(1, 3, 5)]).nodes
  return createModel({
    name: 'embedded',
    source: 'test',
    inputs: [{ name: 'tokens', shape: ['batch', 'time'] }],
    outputs: [{ name: 'y', value: 'sequence' }],
    nodes: [
      {
        kind: 'embedding',
        name: 'embedding',
        units: 3,
        weights: { table: randomTensor(2, [5, 3]) },
        inputs: { x: 'tokens' },
        outputs: { y: 'vectors' },
        conventions: [],
      },
      { ...node, inputs: { x: 'vectors' }, outputs: { sequence: 'sequence' } } as LayerNode,
    ],
  })
}
