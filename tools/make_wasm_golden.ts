// Writes test/runtime/wasm/golden.json: the bytes of wabt's wat2wasm for every instruction that the
// assembler knows, and for a few modules. Only operands and immediates are read from our table.
//
//     npm install --no-save wabt@1.0.39
//     node tools/make_wasm_golden.ts     (Node 22.18 or later, which runs TypeScript)

import { writeFileSync } from 'node:fs'
import { listInstructions } from '../src/runtime/wasm/assembler/instructions.ts'

// Not a dependency, so the compiler does not know it.
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

/** The same immediates as in instructions.test.ts. */
function spell(word: string): string {
  if (word === 'zero') return ''
  if (word === 'lanes') return '31 0 30 1 29 2 28 3 27 4 26 5 25 6 24 7'
  if (word === 'words') return 'f32x4 1 -2.5 0x1p-149 inf'
  return 'offset=1000'
}

const opcodes: Record<string, string> = {}
for (const { family, name, immediates, operands, result } of listInstructions()) {
  const op = `${family}.${name}`
  const gets = operands.map((_, i) => `local.get ${i}`)
  opcodes[op] = assemble(
    op,
    `(module (import "env" "memory" (memory 1 1)) (func (param ${operands.join(' ')}) (result ${result})
      ${gets.join(' ')} ${op} ${immediates.map(spell).join(' ')}))`,
  )
}

const modules = {
  // All sections of a module.
  sections: `(module
    (import "env" "memory" (memory 1 2))
    (func (local i32) (local.set 0 (i32.add (local.get 0) (i32.const 300))))
    (func (param i32) (call 0))
    (export "run" (func 1))
    (export "measure" (func 0))
    (data (i32.const 65536) "\\00\\ff\\80"))`,
  // Loops and branches of several depths.
  control: `(module (func (param i32)
    (local i32 i32 v128)
    (loop $outer
      (loop $inner
        (local.set 2 (i32.add (local.get 2) (local.get 1)))
        (br_if $inner (local.tee 1 (i32.sub (local.get 1) (i32.const 1))))
        (br_if $outer (i32.lt_u (local.get 1) (local.get 0)))))
    (if (i32.eq (local.get 2) (i32.const -1))
      (then (local.set 2 (i32.const 1)))
      (else (if (local.get 2) (then (local.set 0 (i32.const 300))))))))`,
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
// The modules of `src/runtime/wasm/probe.ts`.
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
