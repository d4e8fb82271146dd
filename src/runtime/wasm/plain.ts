/**
 * Writes functions of kernels that are known to be right: nothing is checked.
 *
 * It has what kernels are written in: folded instructions whose scalars are i32, `local`, `loop`,
 * `if`, `br_if`, and `call` of functions without a result. All else that `FunctionBody` promises is
 * in `checked.ts`, whose head tells how operands become code.
 *
 * A value is its code: that of its operands, and then its own bytes. A statement adds its code to
 * that of the function.
 */

import type { FunctionWriter } from './assembler.ts'
import { type Code, signed, unsigned, type ValueType } from './encoding.ts'
import { type Opcodes, readOpcodes } from './opcodes.ts'
import type { Func, FunctionBody, Label, Local } from './types.ts'

interface Variable extends Local {
  /** Its `local.get`. */
  readonly get: Code
}

type Operand = Code | Variable | number

export function plainWriter(table: Opcodes): FunctionWriter {
  // Of the function that is being written: one may be begun within another.
  let code: Code[] = []
  let locals: Local[] = []
  let depth = 0

  function state(...statement: Code): void {
    code.push(statement)
  }

  function declare(type: ValueType): Variable {
    const index = locals.length
    const local: Variable = { kind: 'local', type, index, get: [0x20, ...unsigned(index)] }
    locals.push(local)
    return local
  }

  function enclose(inner: (label: Label) => unknown): void {
    depth++
    inner({ depth })
    depth--
  }

  const body: Record<string, unknown> = {
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
    br_if(label: Label, condition: Operand) {
      state(spell(condition), 0x0d, unsigned(depth - label.depth))
    },
    call({ index }: Func, ...operands: Operand[]) {
      state(operands.map(spell), 0x10, unsigned(index))
    },
  }
  for (const { family, name, opcode, immediates, results } of readOpcodes(table)) {
    const method = (...args: Operand[]): Code => {
      const own = immediates.map((word) => immediate(word, args))
      return [args.map(spell), opcode, own]
    }
    body[family] ??= {}
    ;(body[family] as Record<string, unknown>)[name] =
      results.length > 0 ? method : (...args: Operand[]) => state(method(...args))
  }

  return ({ params = [] }, write) => {
    const outer = { code, locals, depth }
    ;[code, locals, depth] = [[], [], 0]
    write(body as unknown as FunctionBody, ...params.map(declare))
    state(END)
    const written = { locals: locals.map(({ type }) => type), code }
    ;({ code, locals, depth } = outer)
    return written
  }
}

const VOID = 0x40
const END = 0x0b

/** The `local.get` or `i32.const` that an operand stands for, or the code that it is. */
function spell(operand: Operand): Code {
  if (typeof operand === 'number') return [0x41, ...signed(operand)]
  return 'get' in operand ? operand.get : operand
}

/** Takes an immediate, in a word of the table of opcodes, off the arguments. */
function immediate(word: string, args: unknown[]): Code {
  const arg = args.shift()
  if (word === 'lanes') return arg as number[]
  if (word === 'i32') return signed(arg as number)
  // A vector is written as four i32: its shape goes without saying.
  if (word === 'v128') return [...new Uint8Array(Int32Array.from(args.shift() as number[]).buffer)]
  return [Math.log2(Number(word.slice(5))), ...unsigned(arg as number)]
}
