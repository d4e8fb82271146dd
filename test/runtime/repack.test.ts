/** Vectors are repacked in place: nothing beside them changes, and what counts of them arrives. */

import { describe, expect, it } from 'vitest'
import { sequential } from '../../src/model/index.ts'
import { allLayers } from '../../src/runtime/all-layers.ts'
import type { Engine } from '../../src/runtime/engine/engine.ts'
import { createJsEngine } from '../../src/runtime/js/engine.ts'
import { plan } from '../../src/runtime/plan/plan.ts'
import { padded } from '../../src/runtime/plan/types.ts'
import { codeOf, createWasmEngine } from '../../src/runtime/wasm/engine.ts'
import { targetHere } from '../../src/runtime/wasm/target.ts'
import { precisions } from '../support/engines.ts'
import { randomGru } from '../support/random.ts'

const [FROM, GUARD] = [8, -1]

describe.each(precisions)('%s', (precision) => {
  const planned = plan(sequential([randomGru(1, 9, 9)]), { precision, streams: 1 }, allLayers)
  const engines: readonly (readonly [string, Engine])[] = [
    ['JavaScript', createJsEngine(planned, allLayers.plans)],
    [
      'WebAssembly',
      createWasmEngine(
        planned,
        allLayers.plans,
        codeOf(planned, targetHere(planned, true), allLayers),
      ),
    ],
  ]

  it.each(engines)('%s', (_, { memory, repack }) => {
    for (let width = 1; width <= 9; width++) {
      const stride = padded(width)
      for (const count of [1, 2, 3, 40]) {
        const all = Array.from({ length: count * width }, (_, i) => i)
        const size = count * stride
        const room = (count - 1) * (stride - width)
        const guarded = (): number[] => [memory[FROM - 1], memory[FROM + size]]
        const where = `${count} of ${width}`

        memory.fill(GUARD)
        memory.set(all, FROM + room)
        repack(FROM, stride, FROM + room, width, count)
        const spaced = Array.from({ length: count }, (_, i) =>
          Array.from(memory.subarray(FROM + i * stride, FROM + i * stride + width)),
        )
        expect(spaced.flat(), where).toEqual(all)
        expect(guarded(), where).toEqual([GUARD, GUARD])

        repack(FROM, width, FROM, stride, count)
        expect(Array.from(memory.subarray(FROM, FROM + count * width)), where).toEqual(all)
        expect(guarded(), where).toEqual([GUARD, GUARD])
      }
    }
  })
})
