/** The bytes of modules, against hand and wabt (golden.json). */

import { describe, expect, it } from 'vitest'

import { createModule, golden, toHex, withMemory } from './support.ts'

describe('bytes', () => {
  it('of a module assembled by hand', () => {
    const module = createModule()
    const add = module.func({ params: ['i32', 'i32'], result: 'i32' }, ({ i32 }, a, b) =>
      i32.add(a, b),
    )
    module.export('add', add)
    const byHand = [
      '00 61 73 6d 01 00 00 00', // \0asm, version 1
      '01 07 01 60 02 7f 7f 01 7f', // types: (i32 i32) -> i32
      '03 02 01 00', // functions: one, of type 0
      '07 07 01 03 61 64 64 00 00', // exports: "add", function 0
      '0a 09 01 07 00 20 00 20 01 6a 0b', // code: no locals, local.get 0, local.get 1, i32.add, end
    ]
    expect(toHex(module.bytes())).toBe(byHand.join('').replaceAll(' ', ''))
  })

  it('of an empty module', () => {
    expect(toHex(createModule().bytes())).toBe('0061736d01000000')
  })

  it('of all sections are those of wabt', () => {
    const module = createModule()
    module.importMemory('env', 'memory', 1, 2)
    const add = module.func({ params: ['i32'], result: 'i32' }, ({ i32 }, x) => i32.add(x, 300))
    const main = module.func({ params: ['i32'] }, ({ call, drop }, x) => drop(call(add, x)))
    module.export('run', main)
    module.export('measure', add)
    module.data(65536, Uint8Array.of(0, 255, 128))
    expect(toHex(module.bytes())).toBe(golden.modules.sections)
  })

  it('of blocks, loops and branches are those of wabt', () => {
    const module = createModule()
    module.func({ params: ['i32'], result: 'i32' }, (f, n) => {
      const { i32, f32, local, br, br_if } = f
      const [i, sum] = [local('i32'), local('i32')]
      local('v128')
      const [a, b] = [local('f32'), local('f32')]
      f.block((out) => {
        f.loop((top) => {
          br_if(out, i32.ge_u(i, n))
          local.set(sum, i32.add(sum, i))
          local.set(i, i32.add(i, 1))
          br(top)
        })
      })
      f.if(
        i32.eqz(sum),
        () => f.return(-1),
        () => local.set(a, 1),
      )
      f.block('i32', (value) => {
        br_if(value, sum, f32.lt(a, b))
        f.drop()
        f.if(
          'i32',
          n,
          () => i32.const(300),
          () => f.unreachable(),
        )
      })
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
    module.func({ name: 'gate' }, (f) => f.unreachable())
    // custom section of 14 bytes, "name"; subsection 1 of 7 bytes: one name, that of function 1.
    const names = '000e 046e616d65 0107 01 01 0467617465'.replaceAll(' ', '')
    expect(toHex(module.bytes()).endsWith(names)).toBe(true)
    expect(WebAssembly.validate(module.bytes())).toBe(true)
  })

  it('hold a function once: the same code of another type is another', () => {
    const module = createModule()
    const write = (type: 'f32' | 'f64') => module.func({ params: [type] }, () => {})
    const funcs = [write('f32'), write('f64'), write('f32')]
    expect(funcs.map(({ index }) => index)).toEqual([0, 1, 0])
    module.func({ params: ['f32'] }, ({ call }, x) => call(funcs[2], x))
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
