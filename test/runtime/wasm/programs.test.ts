/** What assembled code does when it runs. */

import { describe, expect, it } from 'vitest'
import {
  createModule,
  type FunctionBody,
  type Local,
  type Value,
} from '../../../src/runtime/wasm/assembler/module.ts'
import { hasRelaxedSimd } from '../../../src/runtime/wasm/probe.ts'
import { instantiate, withMemory } from './support.ts'

type Call = (...args: unknown[]) => unknown

/** Where results are stored, in bytes. */
const OUT = 1024

/** What `write` leaves at OUT, as so many lanes of 32 bits; `before` stands at 0. */
function run(
  write: (body: FunctionBody, ...params: Local<'i32'>[]) => unknown,
  { args = [], before = [] }: { args?: readonly number[]; before?: readonly number[] } = {},
): ArrayBuffer {
  const module = withMemory()
  module.data(0, new Uint8Array(Float32Array.from(before).buffer))
  const params = args.map(() => 'i32' as const)
  module.export('test', module.func({ params }, write))
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 })
  const call = instantiate(module, memory).exports.test as Call
  call(...args)
  return memory.buffer.slice(OUT, OUT + 16)
}

/** The lanes of the vector that `write` computes from float32 numbers at 0. */
function onMemory(
  numbers: readonly number[],
  write: (body: FunctionBody) => Value<'v128'>,
): number[] {
  const stored = run((f) => f.v128.store(OUT, 0, write(f)), { before: numbers })
  return [...new Float32Array(stored)]
}

/** The i32 that `write` computes. */
function integer(
  args: readonly number[],
  write: (body: FunctionBody, ...params: Local<'i32'>[]) => Value<'i32'>,
): number {
  const stored = run((f, ...params) => f.v128.store(OUT, 0, f.i32x4.splat(write(f, ...params))), {
    args,
  })
  return new Int32Array(stored)[0]
}

describe('a program', () => {
  it('sums the numbers below n in a loop', () => {
    const sum = (n: number): number =>
      integer([n], ({ i32, local, loop, br_if }, count) => {
        const [i, total] = [local('i32'), local('i32')]
        loop((top) => {
          local.set(total, i32.add(total, i))
          local.set(i, i32.add(i, 1))
          br_if(top, i32.lt_u(i, count))
        })
        return local.get(total)
      })
    expect([1, 2, 100].map(sum)).toEqual([0, 1, 4950])
  })

  it('leaves an inner loop for the outer one', () => {
    // Pairs j ≤ i below n: the branch out of the inner loop passes over one label.
    const pairs = (n: number): number =>
      integer([n], ({ i32, local, loop, br_if }, count) => {
        const [i, j, total] = [local('i32'), local('i32'), local('i32')]
        loop((outer) => {
          local.set(i, i32.add(i, 1))
          local.set(j, 0)
          loop((inner) => {
            local.set(total, i32.add(total, 1))
            local.set(j, i32.add(j, 1))
            br_if(inner, i32.lt_u(j, i))
            br_if(outer, i32.lt_u(i, count))
          })
        })
        return local.get(total)
      })
    expect([1, 2, 5].map(pairs)).toEqual([1, 3, 15])
  })

  it('takes either side of an if, and none', () => {
    const side = (n: number): number =>
      integer([n], (f, given) => {
        const { i32, local } = f
        const found = local('i32')
        f.if(
          i32.lt_u(given, 10),
          () => local.set(found, 1),
          () => local.set(found, 2),
        )
        f.if(i32.eq(given, 10), () => local.set(found, i32.mul(found, 50)))
        return local.get(found)
      })
    expect([3, 10, 11].map(side)).toEqual([1, 100, 2])
  })

  it('calls functions, and writes one while it is being written', () => {
    const module = withMemory()
    const double = module.func({ params: ['i32'] }, ({ v128, f32x4, local }, at) => {
      const x = local('v128')
      local.set(x, v128.load(0, at))
      v128.store(0, at, f32x4.add(x, x))
    })
    const main = module.func({ params: ['i32'] }, (f, at) => {
      f.call(double, at)
      f.call(double, f.i32.add(at, 16))
    })
    module.export('main', main)
    module.data(0, new Uint8Array(Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8).buffer))
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 })
    const call = instantiate(module, memory).exports.main as Call
    call(0)
    expect([...new Float32Array(memory.buffer, 0, 8)]).toEqual([2, 4, 6, 8, 10, 12, 14, 16])
  })

  it('works on the memory it imports', () => {
    const module = withMemory()
    module.data(8, Uint8Array.of(1, 2, 3, 4))
    module.export(
      'copy',
      module.func({}, (f) => f.memory.copy(100, 8, 4)),
    )
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 })
    const copy = instantiate(module, memory).exports.copy as Call
    copy()
    expect([...new Uint8Array(memory.buffer, 99, 6)]).toEqual([0, 1, 2, 3, 4, 0])
  })

  it('writes equal functions once', () => {
    const module = createModule()
    const [a, b, other] = [1, 1, 2].map((value) =>
      module.func({}, ({ local, i32 }) => local.set(local('i32'), i32.add(value, value))),
    )
    expect(b).toBe(a)
    expect(other).not.toBe(a)
  })

  it('computes on vectors as JavaScript does on float32', () => {
    // (x·w + w) / (|x| + 1) where x > 0, else the less of both
    const x = [1.1, -2.5, 1e-40, 3e38].map(Math.fround)
    const w = [-0.3, -1e-3, 7, 3].map(Math.fround)
    const words = (value: number): number[] =>
      Array(4).fill(new Int32Array(Float32Array.of(value).buffer)[0])
    const got = onMemory([...x, ...w], ({ f32x4, v128, local }) => {
      const [a, b] = [local('v128'), local('v128')]
      local.set(a, v128.load(0, 0))
      local.set(b, v128.load(16, 0))
      return v128.bitselect(
        f32x4.div(f32x4.add(f32x4.mul(a, b), b), f32x4.add(f32x4.abs(a), v128.const(words(1)))),
        f32x4.pmin(a, b),
        f32x4.lt(v128.const(words(0)), a),
      )
    })
    const { fround } = Math
    const expected = x.map((xi, i) => {
      const above = fround(fround(fround(xi * w[i]) + w[i]) / fround(Math.abs(xi) + 1))
      return xi > 0 ? above : Math.min(xi, w[i])
    })
    expect(got).toEqual(expected)
  })

  it('moves lanes', () => {
    const input = [1, 2, 3, 4, 5, 6, 7, 8]
    const reversed = [12, 13, 14, 15, 8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3]
    expect(
      onMemory(input, ({ i8x16, v128 }) =>
        i8x16.shuffle(reversed, v128.load(0, 0), v128.load(16, 0)),
      ),
    ).toEqual([4, 3, 2, 1])
    expect(onMemory(input, ({ v128 }) => v128.load64_splat(8, 0))).toEqual([3, 4, 3, 4])
    expect(onMemory(input, ({ v128 }) => v128.load32_splat(4, 0))).toEqual([2, 2, 2, 2])
  })

  it.runIf(hasRelaxedSimd())('multiplies and adds in one or two roundings, as it likes', () => {
    // (1 + e)² − 1: exactly 2e + e², and 2e once the square has been rounded.
    const e = 2 ** -12
    const numbers = [...Array(4).fill(1 + e), ...Array(4).fill(-1), ...Array(4).fill(3)]
    const [madd] = onMemory(numbers, ({ f32x4, v128 }) =>
      f32x4.relaxed_madd(v128.load(0, 0), v128.load(0, 0), v128.load(16, 0)),
    )
    expect([2 * e, 2 * e + e * e]).toContain(madd)
    const [nmadd] = onMemory(numbers, ({ f32x4, v128 }) =>
      f32x4.relaxed_nmadd(v128.load(32, 0), v128.load(32, 0), v128.load(16, 0)),
    )
    expect(nmadd).toBe(-10)
  })
})
