/** What the checked stack refuses, and what it must not refuse. */

import { describe, expect, it } from 'vitest'
import type { FunctionBody, Label, Local, Value } from '../../../src/runtime/wasm/assembler.ts'
import { AssemblerError } from '../../../src/runtime/wasm/checked.ts'
import { createModule, define } from './support.ts'

type Write = (f: FunctionBody, i: Local<'i32'>, x: Local<'f32'>, v: Local<'v128'>) => unknown

/** A function of one parameter of each of three types, with a result of f32. */
function assemble(write: Write): Uint8Array<ArrayBuffer> {
  return define(['i32', 'f32', 'v128'], 'f32', write).module.bytes()
}

/** Something of another function, and of another module. */
function foreign(): { f: FunctionBody; local: Local<'f32'>; value: Value<'f32'> } {
  let found: ReturnType<typeof foreign> | undefined
  createModule().func({ params: ['f32'], result: 'f32' }, (f, local) => {
    const value = f.f32.neg(local)
    found = { f, local, value }
  })
  return found!
}

/** Calls that the compiler refuses, for callers that have none. */
function untyped(f: FunctionBody): Record<string, Record<string, (...args: unknown[]) => unknown>> {
  return f as unknown as ReturnType<typeof untyped>
}

const wrong: Record<string, readonly [title: string, message: string, write: Write][]> = {
  operands: [
    [
      'a missing one',
      'f32.add expects [f32 f32], found [f32]',
      (f, _, x) => {
        f.local.get(x)
        f.f32.add()
      },
    ],
    [
      'one of another type',
      'f32x4.add expects [v128 v128], found [v128 f32]',
      (f, _, x, v) => {
        f.local.get(v)
        f.local.get(x)
        f.f32x4.add()
      },
    ],
    [
      'a folded value of another type',
      'f32.neg expects [f32], found [i32]',
      (f, i) => untyped(f).f32.neg(f.local.get(i)),
    ],
    [
      'a folded local of another type',
      'f32.neg expects f32, found local i32',
      (f, i) => untyped(f).f32.neg(i),
    ],
    ['a number for a vector', 'f32x4.neg expects v128, found 1', (f) => untyped(f).f32x4.neg(1)],
    ['a fraction for an integer', 'i32.eqz expects i32, found 0.5', (f) => f.i32.eqz(0.5)],
    ['a number for an i64', 'i64.eqz expects i64, found 0.5', (f) => untyped(f).i64.eqz(0.5)],
    [
      'one too few',
      'f32.add expects [f32 f32], found 1 operands',
      (f, _, x) => untyped(f).f32.add(x),
    ],
    [
      'one too many',
      'f32.neg expects [f32], found 2 operands',
      (f, _, x) => untyped(f).f32.neg(x, x),
    ],
    [
      'of a store the wrong way round',
      'f32.store expects f32, found local i32',
      (f, i, x) => untyped(f).f32.store(0, x, i),
    ],
    [
      'a value taken twice',
      'f32.mul expects [f32 f32], found [f32]',
      (f, _, x) => {
        const square = f.f32.mul(x, x)
        f.f32.mul(square, square)
      },
    ],
    [
      'values in the wrong order',
      'f32.sub expects values in turn, found one out of turn',
      (f, _, x) => {
        const [a, b] = [f.f32.neg(x), f.f32.abs(x)]
        f.f32.sub(b, a)
      },
    ],
    [
      'a value that has been taken',
      'f32.abs expects values in turn, found one out of turn',
      (f, _, x) => {
        const a = f.f32.neg(x)
        f.f32.sqrt(a)
        f.f32.abs(a)
      },
    ],
    [
      'a local read before code that stands before it',
      'f32.add expects operands in one piece, found other code in between',
      (f, _, x) => {
        const a = f.f32.neg(x)
        f.local.set(x, 5)
        f.f32.add(x, a)
      },
    ],
    [
      'the same, hidden in the operand',
      'f32.add expects operands in one piece, found other code in between',
      (f, _, x) => {
        f.local.get(x)
        f.local.set(x, 5)
        f.f32.add(x, f.f32.neg())
      },
    ],
    ['a drop of nothing', 'drop expects [any], found []', (f) => f.drop()],
    [
      'a select between two types',
      'select expects [f32 f32 i32], found [i32 f32 i32]',
      (f, i, x) => {
        f.local.get(i)
        f.local.get(x)
        f.local.get(i)
        f.select('f32')
      },
    ],
  ],
  immediates: [
    ['a negative offset', 'f32.load expects a valid align4, found -4', (f, i) => f.f32.load(-4, i)],
    ['a fraction', 'f32.load expects a valid align4, found 0.5', (f, i) => f.f32.load(0.5, i)],
    [
      'an offset past 4 GiB',
      'v128.load expects a valid align16, found 4294967296',
      (f, i) => f.v128.load(2 ** 32, i),
    ],
    [
      'a lane too many',
      'f32x4.extract_lane expects a valid lane4, found 4',
      (f, _x, _y, v) => f.f32x4.extract_lane(4, v),
    ],
    [
      'the lanes of a shuffle',
      'i8x16.shuffle expects a valid lanes, found 0,1',
      (f, _x, _y, v) => f.i8x16.shuffle([0, 1], v, v),
    ],
    [
      'one lane of a shuffle',
      'i8x16.shuffle expects a valid lanes, found 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,32',
      (f, _x, _y, v) =>
        f.i8x16.shuffle([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 32], v, v),
    ],
    ['a literal', 'i32.const expects a valid i32, found 4294967296', (f) => f.i32.const(2 ** 32)],
    ['a NaN', 'f32.const expects a valid f32, found NaN', (f) => f.f32.const(Number.NaN)],
    [
      'lanes of a vector',
      'v128.const expects a valid v128, found f32x4',
      (f) => f.v128.const('f32x4', [1, 2]),
    ],
  ],
  'structured control': [
    ['no result', 'end of function expects [f32], found []', () => {}],
    [
      'a result of another type',
      'end of function expects [f32], found [i32]',
      (f, i) => f.local.get(i),
    ],
    [
      'a value left over',
      'end of function expects [f32], found [f32 f32]',
      (f, _, x) => {
        f.local.get(x)
        f.local.get(x)
      },
    ],
    [
      'a value left in a block',
      'end of block expects [], found [f32]',
      (f, _, x) => f.block(() => f.local.get(x)),
    ],
    [
      'a block without the result it promised',
      'end of block expects [v128], found []',
      (f) => f.block('v128', () => {}),
    ],
    [
      'a loop that reaches below its beginning',
      'f32.neg expects [f32], found []',
      (f, _, x) => {
        f.local.get(x)
        f.loop(() => f.f32.neg())
      },
    ],
    [
      'a value from outside of a block',
      'f32.neg expects [f32], found []',
      (f, _, x) => {
        const outer = f.local.get(x)
        f.block(() => f.f32.neg(outer))
      },
    ],
    [
      'sides of an if that disagree',
      'end of if expects [f32], found [i32]',
      (f, i, x) =>
        f.if(
          'f32',
          i,
          () => f.local.get(x),
          () => f.local.get(i),
        ),
    ],
    [
      'an if with a result and one side',
      'if with a result expects an else, found none',
      (f, i, x) => untyped(f as never).if.call(f, 'f32', i, () => f.local.get(x)),
    ],
    [
      'a condition that is none',
      'if expects i32, found local f32',
      (f, _, x) => f.if(x as never, () => {}),
    ],
    [
      'a branch without the result of its block',
      'br expects [f32], found []',
      (f) => f.block('f32', (out) => f.br(out)),
    ],
    [
      'a branch with another type',
      'br_if expects f32, found local i32',
      (f, i) => f.block('f32', (out) => f.br_if(out, i, i)),
    ],
    [
      'a value taken to the beginning of a loop',
      'br expects [], found 1 operands',
      (f, _, x) => f.loop('f32', (top) => f.br(top, x)),
    ],
    [
      'a branch to a block that is closed',
      'br expects a label around it, found that of a closed block',
      (f) => {
        let label: Label | undefined
        f.block((inner) => {
          label = inner
        })
        f.br(label!)
      },
    ],
    ['a return without a value', 'return expects [f32], found []', (f) => f.return()],
    [
      'more values than fit behind a branch',
      'end of block expects [], found [f32]',
      (f, _, x) =>
        f.block((out) => {
          f.br(out)
          f.local.get(x)
        }),
    ],
    [
      'a wrong type behind a branch',
      'f32.add expects [f32 f32], found [i32]',
      (f, i) => {
        f.unreachable()
        f.local.get(i)
        f.f32.add()
      },
    ],
    [
      'a value from before a branch',
      'f32.neg expects values in turn, found one out of turn',
      (f, _, x) =>
        f.block((out) => {
          const before = f.local.get(x)
          f.br(out)
          f.f32.neg(before)
        }),
    ],
    [
      'an else, as if the branch before had ended it too',
      'f32.neg expects [f32], found []',
      (f, i) =>
        f.if(
          i,
          () => f.unreachable(),
          () => f.f32.neg(),
        ),
    ],
  ],
  'things of others': [
    [
      'a local, as an operand',
      'f32.neg expects its own, found that of another',
      (f) => f.f32.neg(foreign().local),
    ],
    [
      'a local',
      'local.get expects its own, found that of another',
      (f) => f.local.get(foreign().local),
    ],
    [
      'a value',
      'f32.abs expects values in turn, found one out of turn',
      (f, _, x) => {
        f.f32.neg(x)
        f.f32.abs(foreign().value)
      },
    ],
    [
      'a function',
      'call expects its own, found that of another',
      (f) => f.call(createModule().func({}, () => {})),
    ],
    [
      'a call with wrong operands',
      'call expects [f32], found []',
      (f) => {
        const module = createModule()
        module.func({}, (g) => g.call(module.func({ params: ['f32'] }, () => {})))
        f.unreachable()
      },
    ],
  ],
}

describe.each(Object.entries(wrong))('refused: %s', (_, programs) => {
  it.each(programs)('%s', (_title, message, write) => {
    expect(() => assemble(write)).toThrow(AssemblerError)
    expect(() => assemble(write)).toThrow(message)
  })
})

describe('an AssemblerError', () => {
  it('names the function, the instruction, what it expects and what it finds', () => {
    const module = createModule()
    const faulty = (name?: string) => () =>
      module.func({ ...(name && { name }) }, (f) => f.f32x4.sqrt())
    expect(faulty('gru 6×6')).toThrow('gru 6×6: f32x4.sqrt expects [v128], found []')
    expect(faulty()).toThrow('func 0: f32x4.sqrt expects [v128], found []')
  })

  it('refuses a function that is finished', () => {
    const { f, local } = foreign()
    expect(() => f.f32.neg(local)).toThrow('f32.neg expects an open function, found a finished one')
  })

  it('leaves the module as it was', () => {
    const module = createModule()
    module.func({}, () => {})
    const before = module.bytes()
    expect(() => module.func({ result: 'v128' }, () => {})).toThrow(AssemblerError)
    expect(module.bytes()).toEqual(before)
  })
})

const right: readonly [title: string, write: Write][] = [
  [
    'anything behind unreachable',
    (f) => {
      f.unreachable()
      f.f32.add()
    },
  ],
  [
    'anything behind a return',
    (f, _, x) => {
      f.return(x)
      f.i32.eqz()
      f.drop()
    },
  ],
  [
    'operands that are there in part behind a branch',
    (f, _, x) => {
      f.block((out) => {
        f.br(out)
        f.local.get(x)
        f.f32.add()
        f.drop()
      })
      f.local.get(x)
    },
  ],
  [
    'blocks behind a branch',
    (f, i, x) => {
      f.return(x)
      f.block('f32', (out) => {
        f.br_if(out, x, i)
      })
    },
  ],
  [
    'a select behind a branch',
    (f, _, x) => {
      f.return(x)
      f.select('f32')
    },
  ],
  [
    'a drop behind a branch',
    (f, _, x) => {
      f.return(x)
      f.drop()
      f.local.get(x)
    },
  ],
  [
    'an if whose sides both leave',
    (f, i, x) => {
      f.if(
        i,
        () => f.return(x),
        () => f.return(1),
      )
      f.unreachable()
    },
  ],
  [
    'a live else behind a dead then',
    (f, i, x) => {
      f.if(
        'f32',
        i,
        () => f.unreachable(),
        () => f.local.get(x),
      )
    },
  ],
  [
    'a branch out of several blocks, with a result',
    (f, i, x) => {
      f.block('f32', (out) => {
        f.loop((top) => {
          f.block(() => {
            f.br_if(top, i)
            f.br(out, x)
          })
        })
        f.unreachable()
      })
    },
  ],
  [
    'values below a block',
    (f, _, x) => {
      const below = f.local.get(x)
      const block = f.block('f32', () => f.f32.neg(x))
      f.f32.add(below, block)
    },
  ],
  [
    'a tee as an operand, read from the left to the right',
    (f, _, x) => {
      f.f32.sub(x, f.local.tee(x, f.f32.neg(x)))
    },
  ],
  [
    'other code between values, if no local has to go before it',
    (f, _, x) => {
      const a = f.local.get(x)
      f.local.set(x, 5)
      f.f32.neg(a)
    },
  ],
]

describe('accepted, and by the engine: ', () => {
  it.each(right)('%s', (_, write) => {
    expect(WebAssembly.validate(assemble(write))).toBe(true)
  })
})

describe('what the compiler refuses', () => {
  it('is a misspelled instruction, a wrong operand or a missing immediate', () => {
    const write: Write = (f, i, x, v) => {
      // @ts-expect-error there is no f32x4.madd
      f.f32x4.madd
      // @ts-expect-error the family is i32x4
      f.u32x4
      // @ts-expect-error a vector is no f32
      f.f32.neg(v)
      // @ts-expect-error one operand of two
      f.f32.add(x)
      // @ts-expect-error no offset
      f.v128.load(i)
      // @ts-expect-error offset and address the wrong way round
      f.v128.load(i, 16)
      // @ts-expect-error a store leaves nothing
      f.f32.neg(f.f32.store(0, i, x))
      // @ts-expect-error a local of another type
      f.local.set(i, x)
      // @ts-expect-error the shape of an i64x2 has bigints in it
      f.v128.const('i64x2', 1)
    }
    expect(write).toBeTypeOf('function')
  })
})
