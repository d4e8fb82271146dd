/** Modules for tests, and code for any target. */

import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import type { Model } from '../../../src/model/index.ts'
import { allLayers } from '../../../src/runtime/all-layers.ts'
import type { Engine } from '../../../src/runtime/engine/engine.ts'
import { createJsEngine } from '../../../src/runtime/js/engine.ts'
import { plan } from '../../../src/runtime/plan/plan.ts'
import type { Plan } from '../../../src/runtime/plan/types.ts'
import {
  createModule,
  type Func,
  type FunctionBody,
  type Local,
  type ModuleBuilder,
  type ValueType,
} from '../../../src/runtime/wasm/assembler/module.ts'
import { codeOf, createWasmEngine } from '../../../src/runtime/wasm/engine.ts'
import type { Target } from '../../../src/runtime/wasm/target.ts'
import { bits, precisions } from '../../support/engines.ts'

type Hex = Readonly<Record<string, string>>

/** What wabt makes of the same text: tools/make_wasm_golden.ts. */
export const golden: { readonly opcodes: Hex; readonly modules: Hex; readonly probes: Hex } =
  JSON.parse(readFileSync(new URL('golden.json', import.meta.url), 'utf8'))

export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** With a page of memory, for modules that import one (`withMemory`). */
export function instantiate(
  module: ModuleBuilder,
  memory = new WebAssembly.Memory({ initial: 1, maximum: 1 }),
): WebAssembly.Instance {
  const compiled = new WebAssembly.Module(module.bytes())
  return new WebAssembly.Instance(compiled, { env: { memory } })
}

export function withMemory(): ModuleBuilder {
  const module = createModule()
  module.importMemory('env', 'memory', 1, 1)
  return module
}

/** A module of one function, which is called `test`, and of one page of memory. */
export function define<const P extends readonly ValueType[]>(
  params: P,
  write: (body: FunctionBody, ...params: { [I in keyof P]: Local<P[I]> }) => unknown,
): { readonly module: ModuleBuilder; readonly func: Func<P> } {
  const module = withMemory()
  const func = module.func({ name: 'test', params }, write)
  return { module, func }
}

/**
 * Tests that a model takes the same steps as in JavaScript with each number of vectors and of rows
 * a turn, in both precisions.
 * @returns the plans of the model.
 */
export function itRunsOnAnyTarget(
  model: Model,
  vectorCounts: readonly number[],
  unrolls: readonly number[],
): readonly Plan[] {
  const plans = precisions.map((precision) => plan(model, { precision, streams: 1 }, allLayers))
  const stepped = (planned: Plan, engine: Engine): number[] => {
    const state = planned.memory.streams
    engine.setWeights(model)
    engine.memory.fill(0.5, state)
    for (let i = 0; i < 3; i++) engine.step(0, state + planned.stateStride, state)
    const y = planned.values.findIndex(({ name }) => name === planned.outputs[0].value)
    const from = state + planned.stateStride + planned.step.offsets[y]
    return bits({ data: engine.memory.subarray(from, from + planned.values[y].width) })
  }
  const engineOf = (planned: Plan, target: Target): Engine =>
    createWasmEngine(planned, allLayers.plans, codeOf(planned, target, allLayers))
  const expected = plans.map((each) => stepped(each, createJsEngine(each, allLayers.plans)))
  for (const vectors of vectorCounts) {
    for (const unroll of unrolls) {
      it.each(['code', 'memory'] as const)(
        `${vectors} vectors, ${unroll} rows a turn, constants in %s`,
        (constants) => {
          const target = { fused: false, vectors, pairVectors: vectors, unroll, constants }
          const actual = plans.map((each) => stepped(each, engineOf(each, target)))
          expect(actual).toEqual(expected)
        },
      )
    }
  }
  return plans
}
