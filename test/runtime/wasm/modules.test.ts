/** Every module that is written for a model of the fixtures is valid. What they compute, other tests see. */

import { readdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { load } from '../../../src/index.ts'
import { dense, type Model, sequential } from '../../../src/model/index.ts'
import { allLayers } from '../../../src/runtime/all-layers.ts'
import { inFrame } from '../../../src/runtime/plan/kernels.ts'
import { plan } from '../../../src/runtime/plan/plan.ts'
import type { Plan } from '../../../src/runtime/plan/types.ts'
import { emit } from '../../../src/runtime/wasm/emit.ts'
import { hasRelaxedSimd } from '../../../src/runtime/wasm/probe.ts'
import { precisions } from '../../support/engines.ts'
import { randomGru, randomLstm, randomRnn, randomTensor } from '../../support/random.ts'
import { sample } from '../../support/sample.ts'

/** V8 before 13.5, and since; the last one only where operations are fused. */
const targets = [
  { fused: false, vectors: 2, pairVectors: 1, unroll: 1, constants: 'code' },
  { fused: false, vectors: 4, pairVectors: 1, unroll: 4, constants: 'memory' },
  { fused: true, vectors: 2, pairVectors: 1, unroll: 1, constants: 'code' },
  { fused: true, vectors: 4, pairVectors: 2, unroll: 4, constants: 'memory' },
] as const

const seen = new Set<string>()
const kinds = new Set<string>()

/** Writes all modules of a model, but for those of a plan that has been seen. */
function invalidOf(name: string, model: Model): string[] {
  const invalid: string[] = []
  for (const precision of precisions) {
    const planned: Plan = plan(model, { precision, streams: 1 }, allLayers)
    if (seen.has(planned.hash)) continue
    seen.add(planned.hash)
    for (const { kind } of planned.stages.flatMap(({ kernels }) => kernels).filter(inFrame))
      kinds.add(kind)
    for (const target of targets) {
      if (target.fused && (precision === 'f64' || !hasRelaxedSimd())) continue
      for (const purpose of ['step', 'block', 'all'] as const) {
        if (!WebAssembly.validate(emit(planned, target, allLayers, purpose)))
          invalid.push(`${name}: ${precision}, ${JSON.stringify(target)}, ${purpose}`)
      }
    }
  }
  return invalid
}

const sizes = [
  [1, 1],
  [3, 6],
  [17, 34],
  [70, 67],
  [9, 128],
] as const

describe('modules', () => {
  it('of cells of many sizes are valid', () => {
    const variants = (['after', 'before'] as const).flatMap((reset) =>
      (['keeps', 'updates'] as const).flatMap((update) =>
        [{}, { clip: 2 }, { activation: 'relu' }].map((more) => ({ reset, update, ...more })),
      ),
    )
    for (const [i, [features, units]] of sizes.entries()) {
      const head = dense({ kernel: randomTensor(1, [units, 5]), activation: 'softmax' })
      const cells = [
        ...sample(variants, 4, i).map((each) => randomGru(1, features, units, each)),
        randomLstm(1, features, units, { peephole: randomTensor(2, [3 * units]) }),
        randomLstm(1, features, units, { coupled: true }),
        randomRnn(1, features, units),
      ]
      const invalid = cells.flatMap((cell) =>
        invalidOf(`${features} to ${units}`, sequential([cell, head])),
      )
      expect(invalid).toEqual([])
    }
  })

  it('of all models among the fixtures are valid, and have every kernel in them', async () => {
    const root = new URL('../../fixtures/', import.meta.url).pathname
    const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((file) =>
      /\.(npz|safetensors|keras|h5|json|onnx|pth?|rnnn|pb|index)$/.test(file),
    )
    const invalid: string[] = []
    let loaded = 0
    for (const file of files) {
      const model = await load(root + file).catch(() => null)
      if (model === null) continue
      loaded++
      invalid.push(...invalidOf(file, model))
    }
    expect(invalid).toEqual([])
    expect(loaded).toBeGreaterThan(60)
    const written = Object.entries(allLayers.kernels).filter(
      ([, writer]) => typeof writer !== 'string',
    )
    expect([...kinds]).toEqual(expect.arrayContaining(written.map(([kind]) => kind)))
  })
})
