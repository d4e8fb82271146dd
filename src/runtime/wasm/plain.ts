/**
 * Writes functions of kernels that are known to be right: nothing is checked.
 *
 * It has what kernels of plain models are written in: folded instructions whose scalars are i32,
 * `local`, `loop`, `if`, `br_if`, and `call` of functions without a result. All else that
 * `FunctionBody` promises is in `checked.ts`, whose head tells how operands become code.
 *
 * A value is its code: that of its operands, and then its own bytes. A statement adds its code to
 * that of the function.
 */

import type { FunctionWriter } from './assembler.ts'
import { type Code, signed, unsigned, type ValueType } from './encoding.ts'
import type { Func, FunctionBody, Label, Local } from './types.ts'

interface Variable extends Local {
  /** Its `local.get`. */
  readonly get: Code
}

type Operand = Code | Variable | number
type Instruction = (...operands: Operand[]) => Code

/** Opcodes as in `opcodes.ts`, which tells what they are; the tests hold both alike. */
const instructions = {
  i32: {
    eq: op(0x46),
    ne: op(0x47),
    lt_u: op(0x49),
    add: op(0x6a),
    sub: op(0x6b),
    mul: op(0x6c),
    and: op(0x71),
    shr_u: op(0x76),
  },
  v128: {
    load: inMemory(0x00, 4),
    load32_splat: inMemory(0x09, 2),
    // A vector is written as four i32: its shape goes without saying.
    const: (_: string, lanes: number[]): Code => [
      ...[0xfd, 0x0c],
      [...new Uint8Array(Int32Array.from(lanes).buffer)],
    ],
    xor: simd(0x51),
    bitselect: simd(0x52),
  },
  i8x16: { shuffle: (lanes: Code, ...operands: Operand[]) => op(0xfd, 0x0d, lanes)(...operands) },
  i32x4: { shl: simd(0xab), shr_s: simd(0xac), add: simd(0xae), sub: simd(0xb1) },
  f32x4: {
    add: simd(0xe4),
    sub: simd(0xe5),
    mul: simd(0xe6),
    div: simd(0xe7),
    pmin: simd(0xea),
    pmax: simd(0xeb),
    relaxed_madd: simd(0x105),
    relaxed_nmadd: simd(0x106),
  },
}

const store = inMemory(0x0b, 4)

function op(...bytes: Code): Instruction {
  return (...operands) => [operands.map(spell), bytes]
}

function simd(opcode: number): Instruction {
  return op(0xfd, unsigned(opcode))
}

/** @param align of the address, as a power of two: a hint. */
function inMemory(opcode: number, align: number) {
  return (offset: number, ...operands: Operand[]): Code =>
    op(0xfd, opcode, align, unsigned(offset))(...operands)
}

/** The `local.get` or `i32.const` that an operand stands for, or the code that it is. */
function spell(operand: Operand): Code {
  if (typeof operand === 'number') return [0x41, signed(operand)]
  return 'get' in operand ? operand.get : operand
}

const VOID = 0x40
const END = 0x0b

function createWriter(): FunctionWriter {
  // Of the function that is being written: no other is begun before it is done.
  let code: Code[]
  let locals: Local[]
  let depth = 0

  function state(...statement: Code): void {
    code.push(statement)
  }

  function declare(type: ValueType): Variable {
    const index = locals.length
    const local: Variable = { kind: 'local', type, index, get: [0x20, unsigned(index)] }
    locals.push(local)
    return local
  }

  function enclose(inner: (label: Label) => unknown): void {
    depth++
    inner({ depth })
    depth--
  }

  const body = {
    ...instructions,
    v128: {
      ...instructions.v128,
      store: (offset: number, ...operands: Operand[]) => state(store(offset, ...operands)),
    },
    local: Object.assign(declare, {
      get: ({ get }: Variable): Code => get,
      set: (local: Local, value: Operand) => state(spell(value), 0x21, unsigned(local.index)),
      tee: (local: Local, value: Operand): Code => [spell(value), 0x22, unsigned(local.index)],
    }),
    loop(inner: (label: Label) => unknown) {
      state(0x03, VOID)
      enclose(inner)
      state(END)
    },
    if(condition: Operand, then: () => unknown, otherwise?: () => unknown) {
      state(spell(condition), 0x04, VOID)
      enclose(then)
      if (otherwise) {
        state(0x05)
        enclose(otherwise)
      }
      state(END)
    },
    br_if: (label: Label, condition: Operand) =>
      state(spell(condition), 0x0d, unsigned(depth - label.depth)),
    call: ({ index }: Func, ...operands: Operand[]) =>
      state(operands.map(spell), 0x10, unsigned(index)),
  }

  return ({ params = [] }, write) => {
    code = []
    locals = []
    write(body as unknown as FunctionBody, ...params.map(declare))
    state(END)
    return { locals: locals.map(({ type }) => type), code }
  }
}

export const plainWriter = createWriter()
