/** The bytes of modules, against hand and wabt (golden.json). */

import { describe, expect, it } from 'vitest'
import { createModule, type Func } from '../../../src/runtime/wasm/assembler/module.ts'
import { golden, toHex, withMemory } from './support.ts'

describe('bytes', () => {
  it('of a module assembled by hand', () => {
    const module = createModule()
    const add = module.func({ params: ['i32', 'i32'] }, ({ i32, local }, a, b) =>
      local.set(a, i32.add(a, b)),
    )
    module.export('add', add)
    const byHand = [
      '00 61 73 6d 01 00 00 00', // \0asm, version 1
      '01 06 01 60 02 7f 7f 00', // types: (i32 i32)
      '03 02 01 00', // functions: one, of type 0
      '07 07 01 03 61 64 64 00 00', // exports: "add", function 0
      // code: no locals, local.get 0, local.get 1, i32.add, local.set 0, end
      '0a 0b 01 09 00 20 00 20 01 6a 21 00 0b',
    ]
    expect(toHex(module.bytes())).toBe(byHand.join('').replaceAll(' ', ''))
  })

  it('of an empty module', () => {
    expect(toHex(createModule().bytes())).toBe('0061736d01000000')
  })

  it('of all sections are those of wabt', () => {
    const module = createModule()
    module.importMemory('env', 'memory', 1, 2)
    const add = module.func({}, ({ i32, local }) => {
      const x = local('i32')
      local.set(x, i32.add(x, 300))
    })
    const main = module.func({ params: ['i32'] }, ({ call }) => call(add))
    module.export('run', main)
    module.export('measure', add)
    module.data(65536, Uint8Array.of(0, 255, 128))
    expect(toHex(module.bytes())).toBe(golden.modules.sections)
  })

  it('of loops and branches are those of wabt', () => {
    const module = createModule()
    module.func({ params: ['i32'] }, (f, n) => {
      const { i32, local } = f
      const [i, sum] = [local('i32'), local('i32')]
      local('v128')
      f.loop((outer) => {
        f.loop((inner) => {
          local.set(sum, i32.add(sum, i))
          f.br_if(inner, local.tee(i, i32.sub(i, 1)))
          f.br_if(outer, i32.lt_u(i, n))
        })
      })
      f.if(
        i32.eq(sum, -1),
        () => local.set(sum, 1),
        () => f.if(sum, () => local.set(n, 300)),
      )
    })
    expect(toHex(module.bytes())).toBe(golden.modules.control)
  })

  it('of a loop over multiply-adds are those of wabt', () => {
    expect(toHex(assembleMultiplyAdd())).toBe(golden.modules.multiplyAdd)
  })

  it('are the same each time', () => {
    expect(assembleMultiplyAdd()).toEqual(assembleMultiplyAdd())
  })

  it('hold the names of functions that have one', () => {
    const module = createModule()
    module.func({}, () => {})
    module.func({ name: 'gate' }, ({ local }) => local.set(local('i32'), 1))
    // custom section of 14 bytes, "name"; subsection 1 of 7 bytes: one name, that of function 1.
    const names = '000e 046e616d65 0107 01 01 0467617465'.replaceAll(' ', '')
    expect(toHex(module.bytes()).endsWith(names)).toBe(true)
    expect(WebAssembly.validate(module.bytes())).toBe(true)
  })

  it('hold a function once: the same code of another type is another', () => {
    const module = createModule()
    const write = (type: 'i32' | 'v128') => module.func({ params: [type] }, () => {})
    const funcs = [write('i32'), write('v128'), write('i32')]
    expect(funcs.map(({ index }) => index)).toEqual([0, 1, 0])
    module.func({ params: ['i32'] }, ({ call }, x) => call(funcs[2] as Func<['i32']>, x))
    // Code: three functions, of two, two and six bytes.
    expect(toHex(module.bytes())).toContain(
      '0a0e03 02000b 02000b 0600200010000b'.replaceAll(' ', ''),
    )
    expect(WebAssembly.validate(module.bytes())).toBe(true)
  })
})

function assembleMultiplyAdd(): Uint8Array<ArrayBuffer> {
  const module = withMemory()
  module.func({ params: ['i32', 'i32', 'i32'] }, (f, x, weights, end) => {
    const { local, i32, f32x4, v128 } = f
    const input = local('v128')
    const sums = [local('v128'), local('v128'), local('v128')]
    f.loop((row) => {
      local.set(input, v128.load32_splat(0, x))
      sums.forEach((sum, i) => {
        local.set(sum, f32x4.add(sum, f32x4.mul(input, v128.load(16 * i, weights))))
      })
      local.set(x, i32.add(x, 4))
      local.set(weights, i32.add(weights, 48))
      f.br_if(row, i32.lt_u(x, end))
    })
    sums.forEach((sum, i) => {
      v128.store(16 * i, end, sum)
    })
  })
  return module.bytes()
}
