/** Every instruction of the table, against what wabt makes of it (golden.json) and the engine. */

import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import {
  type Instruction,
  listInstructions,
} from '../../../src/runtime/wasm/assembler/instructions.ts'
import type { ValueType } from '../../../src/runtime/wasm/assembler/module.ts'
import { hasRelaxedSimd } from '../../../src/runtime/wasm/probe.ts'
import { define, golden, toHex } from './support.ts'

const table = listInstructions().map((each) => [`${each.family}.${each.name}`, each] as const)

/** The same immediates as in tools/make_wasm_golden.ts. */
function immediatesOf({ immediates }: Instruction): unknown[] {
  return immediates.flatMap((word): unknown[] => {
    if (word === 'zero') return []
    if (word === 'lanes') return [[31, 0, 30, 1, 29, 2, 28, 3, 27, 4, 26, 5, 25, 6, 24, 7]]
    if (word === 'words') {
      const floats = Float32Array.of(1, -2.5, 2 ** -149, Number.POSITIVE_INFINITY)
      return [[...new Int32Array(floats.buffer)]]
    }
    return [1000]
  })
}

describe('the table of instructions', () => {
  it('has those of golden.json, each of them once', () => {
    expect(table.map(([op]) => op).sort()).toEqual(Object.keys(golden.opcodes).sort())
  })

  it('has none that no kernel is written with', () => {
    const folder = new URL('../../../src/runtime/wasm/kernels/', import.meta.url)
    const kernels = readdirSync(folder)
      .map((file) => readFileSync(new URL(file, folder), 'utf8'))
      .join('\n')
    // Kernels take methods out of families and name either: `f32x4.add`, or `float.add`.
    expect(table.filter(([, { name }]) => !new RegExp(`\\b${name}\\b`).test(kernels))).toEqual([])
  })
})

describe('each instruction', () => {
  it.each(table)('%s is that of wabt, and the engine accepts it', (op, instruction) => {
    const { family, name, operands, result } = instruction
    const { module } = define(operands as ValueType[], (f, ...params) => {
      const methods = f as unknown as Record<string, Record<string, (...x: unknown[]) => never>>
      const value = methods[family][name](...immediatesOf(instruction), ...params)
      if (result !== '') f.local.set(f.local(result as ValueType), value)
    })
    // wabt's function gives the result back: its code ends behind the instruction.
    const gets = operands.map((_, i) => `20${i.toString(16).padStart(2, '0')}`).join('')
    const code = golden.opcodes[op].slice(0, -'0b'.length)
    const at = gets === '' ? code.lastIndexOf('fd0c') : code.lastIndexOf(gets)
    expect(at).toBeGreaterThan(0)
    expect(toHex(module.bytes())).toContain(code.slice(at))
    // An engine without relaxed SIMD is to refuse that, and nothing else.
    const known = !name.startsWith('relaxed_') || hasRelaxedSimd()
    expect(WebAssembly.validate(module.bytes())).toBe(known)
  })
})
