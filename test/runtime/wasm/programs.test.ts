/** What assembled code does when it runs. */

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type {
  FunctionBody,
  Local,
  Operand,
  Value,
  ValueType,
} from '../../../src/runtime/wasm/assembler.ts'
import { hasRelaxedSimd } from '../../../src/runtime/wasm/probe.ts'
import { createModule, define, instantiate, withMemory } from './support.ts'

type Call = (...args: unknown[]) => unknown

/** The function that `write` writes, ready to be called. */
function run<const P extends readonly ValueType[], R extends ValueType | undefined>(
  ...definition: Parameters<typeof define<P, R>>
): Call {
  const { module, func } = define(...definition)
  module.export('test', func)
  return instantiate(module).exports.test as Call
}

describe('a program', () => {
  it('sums the numbers below n in a loop', () => {
    const sum = run(['i32'], 'i32', (f, n) => {
      const { i32, local } = f
      const [i, total] = [local('i32'), local('i32')]
      f.block((out) => {
        f.loop((top) => {
          f.br_if(out, i32.ge_u(i, n))
          local.set(total, i32.add(total, i))
          local.set(i, i32.add(i, 1))
          f.br(top)
        })
      })
      local.get(total)
    })
    expect([0, 1, 2, 100].map((n) => sum(n))).toEqual([0, 0, 1, 4950])
  })

  it('takes either side of an if, with and without a result', () => {
    const clamp = run(['f32'], 'f32', (f, x) => {
      const { f32, local } = f
      f.if(f32.lt(x, 0), () => local.set(x, 0))
      f.if(
        'f32',
        f32.gt(x, 1),
        () => f32.const(1),
        () => local.get(x),
      )
    })
    expect([-3, 0.25, 7].map((x) => clamp(x))).toEqual([0, 0.25, 1])
  })

  it('chooses without a branch', () => {
    const max = run(['f64', 'f64'], 'f64', (f, a, b) => f.select('f64', a, b, f.f64.gt(a, b)))
    expect([max(1, 2), max(2, 1)]).toEqual([2, 2])
  })

  it('leaves a block with a value from inside a loop', () => {
    // The smallest power of two above n.
    const above = run(['i32'], 'i32', (f, n) => {
      const power = f.local('i32')
      f.local.set(power, 1)
      f.block('i32', (found) => {
        f.loop((top) => {
          f.br_if(found, power, f.i32.gt_s(power, n))
          f.drop()
          f.local.set(power, f.i32.shl(power, 1))
          f.br(top)
        })
        f.unreachable()
      })
    })
    expect([0, 1, 5, 64].map((n) => above(n))).toEqual([1, 2, 8, 128])
  })

  it('calls functions', () => {
    const module = createModule()
    const next = module.func({ params: ['i32'], result: 'i32' }, ({ i32 }, x) => i32.add(x, 1))
    const both = module.func({ params: ['f64'], result: 'f64' }, ({ call, drop, f64 }, x) => {
      drop(call(next, 5))
      return f64.add(x, f64.convert_i32_s(call(next, 41)))
    })
    module.export('both', both)
    expect((instantiate(module).exports.both as Call)(1.5)).toBe(43.5)
  })

  it('writes a helper while it is being written', () => {
    const module = createModule()
    const main = module.func({ params: ['f32'], result: 'f32' }, (f, x) => {
      const square = module.func({ params: ['f32'], result: 'f32' }, (g, y) => g.f32.mul(y, y))
      return f.call(square, x)
    })
    module.export('main', main)
    expect((instantiate(module).exports.main as Call)(3)).toBe(9)
  })

  it('works on the memory it imports', () => {
    const module = withMemory()
    module.data(8, Uint8Array.of(1, 2, 3, 4))
    const copy = module.func({}, (f) => {
      f.memory.copy(100, 8, 4)
      f.memory.fill(104, 7, 2)
    })
    module.export('copy', copy)
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 })
    const { exports } = instantiate(module, memory)
    const copied = exports.copy as Call
    copied()
    expect([...new Uint8Array(memory.buffer, 100, 7)]).toEqual([1, 2, 3, 4, 7, 7, 0])
  })

  it('computes on vectors as JavaScript does on float32', () => {
    // (x·w + w) / (|x| + 1) where x > 0, else the less of both
    const x = [1.1, -2.5, 1e-40, 3e38].map(Math.fround)
    const w = [-0.3, -1e-3, 7, 3].map(Math.fround)
    const got = onMemory([...x, ...w], ({ f32x4, v128, local }) => {
      const [a, b] = [local('v128'), local('v128')]
      local.set(a, v128.load(0, 0))
      local.set(b, v128.load(16, 0))
      return v128.bitselect(
        f32x4.div(f32x4.add(f32x4.mul(a, b), b), f32x4.add(f32x4.abs(a), v128.const('f32x4', 1))),
        f32x4.pmin(a, b),
        f32x4.gt(a, v128.const('f32x4', 0)),
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
    expect(
      onMemory(input, ({ f32x4, v128 }) =>
        f32x4.replace_lane(2, v128.load(0, 0), f32x4.extract_lane(3, v128.load(16, 0))),
      ),
    ).toEqual([1, 2, 8, 4])
    expect(
      onMemory(input, ({ v128 }) => v128.load64_lane(8, 1, 0, v128.load32_zero(4, 0))),
    ).toEqual([2, 0, 3, 4])
  })

  it.runIf(hasRelaxedSimd())('multiplies and adds in one or two roundings, as it likes', () => {
    // (1 + e)² − 1: exactly 2e + e², and 2e once the square has been rounded.
    const e = 2 ** -12
    const [madd] = onMemory([1 + e, 1 + e, 1 + e, 1 + e], ({ f32x4, v128 }) =>
      f32x4.relaxed_madd(v128.load(0, 0), v128.load(0, 0), v128.const('f32x4', -1)),
    )
    expect([2 * e, 2 * e + e * e]).toContain(madd)
    const [nmadd] = onMemory([3, 3, 3, 3], ({ f32x4, v128 }) =>
      f32x4.relaxed_nmadd(v128.load(0, 0), v128.load(0, 0), v128.const('f32x4', 1)),
    )
    expect(nmadd).toBe(-8)
  })
})

/** Puts float32 numbers into memory, at 0, and gives the lanes of the vector that `write` leaves. */
function onMemory(
  numbers: readonly number[],
  write: (body: FunctionBody) => Value<'v128'>,
): number[] {
  const module = withMemory()
  module.data(0, new Uint8Array(Float32Array.from(numbers).buffer))
  const test = module.func({}, (f) => f.v128.store(1024, 0, write(f)))
  module.export('test', test)
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 })
  const call = instantiate(module, memory).exports.test as Call
  call()
  return [...new Float32Array(memory.buffer, 1024, 4)]
}

/** An expression over two parameters, which can be written in several ways. */
type Tree =
  | { readonly kind: 'param'; readonly index: number; readonly explicit: boolean }
  | { readonly kind: 'number'; readonly value: number; readonly explicit: boolean }
  | { readonly kind: 'binary'; readonly op: Binary; readonly left: Tree; readonly right: Tree }
  | { readonly kind: 'select'; readonly a: Tree; readonly b: Tree; readonly condition: Tree }
  | { readonly kind: 'if'; readonly condition: Tree; readonly yes: Tree; readonly no: Tree }

const binary = {
  add: (a, b) => (a + b) | 0,
  sub: (a, b) => (a - b) | 0,
  mul: Math.imul,
  xor: (a, b) => a ^ b,
  shl: (a, b) => a << b,
  lt_s: (a, b) => Number(a < b),
} satisfies Record<string, (a: number, b: number) => number>
type Binary = keyof typeof binary

const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.oneof(
    { depthSize: 'medium' },
    fc.record({
      kind: fc.constant('param' as const),
      index: fc.nat({ max: 1 }),
      explicit: fc.boolean(),
    }),
    fc.record({
      kind: fc.constant('number' as const),
      value: fc.integer(),
      explicit: fc.boolean(),
    }),
    fc.record({
      kind: fc.constant('binary' as const),
      op: fc.constantFrom(...(Object.keys(binary) as Binary[])),
      left: tie('tree'),
      right: tie('tree'),
    }),
    fc.record({
      kind: fc.constant('select' as const),
      a: tie('tree'),
      b: tie('tree'),
      condition: tie('tree'),
    }),
    fc.record({
      kind: fc.constant('if' as const),
      condition: tie('tree'),
      yes: tie('tree'),
      no: tie('tree'),
    }),
  ),
}))

/** Locals and numbers as they are, or spelled out where the tree says so. */
function folded(f: FunctionBody, params: readonly Local[], node: Tree): Operand<'i32'> {
  const inner = (child: Tree) => folded(f, params, child)
  switch (node.kind) {
    case 'param': {
      const param = params[node.index] as Local<'i32'>
      return node.explicit ? f.local.get(param) : param
    }
    case 'number':
      return node.explicit ? f.i32.const(node.value) : node.value
    case 'binary':
      return f.i32[node.op](inner(node.left), inner(node.right))
    case 'select':
      return f.select('i32', inner(node.a), inner(node.b), inner(node.condition))
    case 'if':
      return f.if(
        'i32',
        inner(node.condition),
        () => bare(f, params, node.yes),
        () => bare(f, params, node.no),
      )
  }
}

/** One instruction after the other, as a stack machine reads them. */
function bare(f: FunctionBody, params: readonly Local[], node: Tree): void {
  const inner = (child: Tree) => bare(f, params, child)
  switch (node.kind) {
    case 'param':
      f.local.get(params[node.index])
      return
    case 'number':
      f.i32.const(node.value)
      return
    case 'binary':
      inner(node.left)
      inner(node.right)
      f.i32[node.op]()
      return
    case 'select':
      inner(node.a)
      inner(node.b)
      inner(node.condition)
      f.select('i32')
      return
    case 'if': {
      // Nothing but the value itself can be the condition: it stands on top of the stack.
      const condition = folded(f, params, node.condition)
      f.if(
        'i32',
        condition,
        () => inner(node.yes),
        () => inner(node.no),
      )
    }
  }
}

function evaluate(node: Tree, params: readonly number[]): number {
  const inner = (child: Tree) => evaluate(child, params)
  switch (node.kind) {
    case 'param':
      return params[node.index]
    case 'number':
      return node.value
    case 'binary':
      return binary[node.op](inner(node.left), inner(node.right))
    case 'select':
      return inner(node.condition) !== 0 ? inner(node.a) : inner(node.b)
    case 'if':
      return inner(node.condition) !== 0 ? inner(node.yes) : inner(node.no)
  }
}

describe('any expression', () => {
  it('is the same code folded and not, and computes what JavaScript computes', () => {
    fc.assert(
      fc.property(tree, fc.integer(), fc.integer(), (node, a, b) => {
        const one = define(['i32', 'i32'], 'i32', (f, ...params) => {
          f.return(folded(f, params, node))
        })
        const other = define(['i32', 'i32'], 'i32', (f, ...params) => {
          bare(f, params, node)
          f.return()
        })
        expect(one.module.bytes()).toEqual(other.module.bytes())
        one.module.export('test', one.func)
        const test = instantiate(one.module).exports.test as Call
        expect(test(a, b)).toBe(evaluate(node, [a, b]))
      }),
      { numRuns: 300 },
    )
  })
})
