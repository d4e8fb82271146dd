// Writes test/runtime/wasm/golden.json: what wabt's wat2wasm makes of every opcode that the assembler
// knows, and of a few modules. Only operands and immediates are read from its table; the bytes are
// wabt's.
//
//     npm install --no-save wabt@1.0.39
//     node tools/make_wasm_golden.ts     (Node 22.18 or later, which runs TypeScript)

import { writeFileSync } from 'node:fs'
import { readOpcodes, opcodes as table } from '../src/runtime/wasm/opcodes.ts'

// Not a dependency, so not known to the compiler.
const specifier: string = 'wabt'
const wabt = await (await import(specifier)).default()
const features = { simd: true, relaxed_simd: true, threads: true, bulk_memory: true }

function assemble(name: string, wat: string): string {
  // As bytes, since a string would be taken for ASCII.
  const module = wabt.parseWat(name, new TextEncoder().encode(wat), features)
  module.validate(features)
  const { buffer } = module.toBinary({ canonicalize_lebs: true, write_debug_names: false })
  module.destroy()
  return Buffer.from(buffer).toString('hex')
}

/** The same immediates as in opcodes.test.ts. */
function spell(word: string): string {
  if (word === 'zero') return ''
  if (word === 'lanes') return '31 0 30 1 29 2 28 3 27 4 26 5 25 6 24 7'
  if (word === 'v128') return 'f32x4 1 -2.5 0x1p-149 inf'
  if (word.startsWith('align')) return 'offset=1000'
  if (word.startsWith('lane')) return String(Number(word.slice(4)) - 1)
  return word[0] === 'f' ? '0.1' : word === 'i32' ? '-123456' : '-1234567890123456789'
}

const opcodes: Record<string, string> = {}
for (const { family, name, immediates, types, results } of readOpcodes(table)) {
  const op = `${family}.${name}`
  const gets = types.map((_, i) => `local.get ${i}`)
  opcodes[op] = assemble(
    op,
    `(module (import "env" "memory" (memory 1 1)) (func (param ${types.join(' ')}) (result ${results.join(' ')})
      ${gets.join(' ')} ${op} ${immediates.map(spell).join(' ')}))`,
  )
}

const modules = {
  // Everything a module can have.
  sections: `(module
    (import "env" "memory" (memory 1 2))
    (func (param i32) (result i32) (i32.add (local.get 0) (i32.const 300)))
    (func (param i32) (drop (call 0 (local.get 0))))
    (export "run" (func 1))
    (export "measure" (func 0))
    (data (i32.const 65536) "\\00\\ff\\80"))`,
  // Blocks, loops, branches of several depths, with and without results.
  control: `(module (func (param i32) (result i32)
    (local i32 i32 v128 f32 f32)
    (block $out
      (loop $top
        (br_if $out (i32.ge_u (local.get 1) (local.get 0)))
        (local.set 2 (i32.add (local.get 2) (local.get 1)))
        (local.set 1 (i32.add (local.get 1) (i32.const 1)))
        (br $top)))
    (if (i32.eqz (local.get 2)) (then (return (i32.const -1))) (else (local.set 4 (f32.const 1))))
    (block $value (result i32)
      (br_if $value (local.get 2) (f32.lt (local.get 4) (local.get 5)))
      (drop)
      (if (result i32) (local.get 0) (then (i32.const 300)) (else (unreachable))))))`,
  // The inner loop of a kernel: one input by a row of weights, down three accumulators.
  multiplyAdd: `(module (import "env" "memory" (memory 1 1)) (func (param i32 i32 i32)
    (local v128 v128 v128 v128)
    (loop $row
      (local.set 3 (v128.load32_splat (local.get 0)))
      (local.set 4 (f32x4.add (local.get 4) (f32x4.mul (local.get 3) (v128.load (local.get 1)))))
      (local.set 5 (f32x4.add (local.get 5) (f32x4.mul (local.get 3) (v128.load offset=16 (local.get 1)))))
      (local.set 6 (f32x4.add (local.get 6) (f32x4.mul (local.get 3) (v128.load offset=32 (local.get 1)))))
      (local.set 0 (i32.add (local.get 0) (i32.const 4)))
      (local.set 1 (i32.add (local.get 1) (i32.const 48)))
      (br_if $row (i32.lt_u (local.get 0) (local.get 2))))
    (v128.store (local.get 2) (local.get 4))
    (v128.store offset=16 (local.get 2) (local.get 5))
    (v128.store offset=32 (local.get 2) (local.get 6))))`,
}
// What probe.ts asks with.
const probes = {
  wasm: '(module)',
  simd: `(module (func (param v128)
    (local.set 0 (f32x4.add (local.get 0) (local.get 0)))))`,
  relaxedSimd: `(module (func (param v128)
    (local.set 0 (f32x4.relaxed_madd (local.get 0) (local.get 0) (local.get 0)))))`,
}
function assembleAll(texts: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(texts).map(([name, wat]) => [name, assemble(name, wat)]))
}

const golden = { opcodes, modules: assembleAll(modules), probes: assembleAll(probes) }
const file = new URL('../test/runtime/wasm/golden.json', import.meta.url)
writeFileSync(file, `${JSON.stringify(golden, undefined, 2)}\n`)
