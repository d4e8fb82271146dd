/** Every opcode of the table, against what wabt makes of it (golden.json) and the engine. */

import { describe, expect, it } from 'vitest'
import { opcodes, readOpcodes } from '../../../src/runtime/wasm/opcodes.ts'
import { hasRelaxedSimd } from '../../../src/runtime/wasm/probe.ts'
import { define, golden, toHex } from './support.ts'

const table = readOpcodes(opcodes)

/** The section that says: function 0 is called test. */
const names = '000e046e616d65010701000474657374'

/** The same immediates as in tools/make_wasm_golden.ts. */
function immediates(word: string): unknown[] {
  if (word === 'zero') return []
  if (word === 'lanes') return [[31, 0, 30, 1, 29, 2, 28, 3, 27, 4, 26, 5, 25, 6, 24, 7]]
  if (word === 'v128') return ['f32x4', [1, -2.5, 2 ** -149, Number.POSITIVE_INFINITY]]
  if (word.startsWith('align')) return [1000]
  if (word.startsWith('lane')) return [Number(word.slice(4)) - 1]
  return [{ i32: -123456, i64: -1234567890123456789n, f32: 0.1, f64: 0.1 }[word]]
}

describe('the table of opcodes', () => {
  it('has the opcodes of golden.json, each of them once', () => {
    const names = table.map(({ family, name }) => `${family}.${name}`)
    expect(new Set(names).size).toBe(names.length)
    expect(names.sort()).toEqual(Object.keys(golden.opcodes).sort())
  })
})

describe('each opcode', () => {
  it.each(table.map((entry) => [`${entry.family}.${entry.name}`, entry] as const))(
    '%s is that of wabt, folded or not, and the engine accepts it',
    (op, { family, name, types, results, ...entry }) => {
      const write = (folded: boolean) =>
        define(types, results[0], (f, ...params) => {
          const methods = f as unknown as Record<string, Record<string, (...x: unknown[]) => void>>
          if (!folded) for (const param of params) f.local.get(param)
          const operands = folded ? params : []
          methods[family][name](...entry.immediates.flatMap(immediates), ...operands)
        }).module.bytes()
      for (const folded of [true, false]) {
        // The name of the function comes behind what wabt writes.
        const bytes = toHex(write(folded)).slice(0, -names.length)
        expect(bytes).toBe(golden.opcodes[op])
      }
      // An engine without relaxed SIMD is to refuse that, and nothing else.
      const known = !name.startsWith('relaxed_') || hasRelaxedSimd()
      expect(WebAssembly.validate(write(true))).toBe(known)
    },
  )
})
