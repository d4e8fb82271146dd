/**
 * Writes functions of kernels that are known to be right: nothing is checked.
 *
 * It has what kernels are written in: folded instructions whose scalars are i32, `local`, `loop`,
 * `if`, `br_if` and `call`, none of which but instructions leaves a value. All else that
 * `FunctionBody` promises is in `checked.ts`, whose head tells how operands become code.
 */

import type { FunctionWriter } from './assembler.ts'
import { signed, unsigned, type ValueType } from './encoding.ts'
import { type Opcodes, readOpcodes } from './opcodes.ts'
import type { Func, FunctionBody, Label, Local } from './types.ts'

/** Where the code of a value that was written begins. */
interface Entry {
  readonly start: number
}

type Operand = Entry | Local | number

export function plainWriter(table: Opcodes): FunctionWriter {
  // Of the function that is being written: one may be begun within another.
  let code: number[] = []
  let locals: Local[] = []
  let depth = 0

  function emit(bytes: readonly number[], operands: readonly Operand[]): Entry {
    let start = code.length
    for (let i = operands.length - 1; i >= 0; i--) {
      const operand = operands[i]
      if (typeof operand === 'object' && 'start' in operand) start = operand.start
      else code.splice(start, 0, ...spell(operand))
    }
    code.push(...bytes)
    return { start }
  }

  function declare(type: ValueType): Local {
    const local: Local = { kind: 'local', type, index: locals.length }
    locals.push(local)
    return local
  }

  function variable(opcode: number) {
    return ({ index }: Local, ...operands: Operand[]): Entry =>
      emit([opcode, ...unsigned(index)], operands)
  }

  function enclose(inner: ((label: Label) => unknown) | undefined): void {
    depth++
    inner?.({ depth })
    depth--
  }

  const body: Record<string, unknown> = {
    local: Object.assign(declare, {
      get: variable(0x20),
      set: variable(0x21),
      tee: variable(0x22),
    }),
    loop(inner: (label: Label) => unknown) {
      code.push(0x03, VOID)
      enclose(inner)
      code.push(END)
    },
    if(condition: Operand, then: () => unknown, otherwise?: () => unknown) {
      emit([0x04, VOID], [condition])
      enclose(then)
      if (otherwise) {
        code.push(0x05)
        enclose(otherwise)
      }
      code.push(END)
    },
    br_if: (label: Label, condition: Operand) =>
      emit([0x0d, ...unsigned(depth - label.depth)], [condition]),
    call: ({ index }: Func, ...operands: Operand[]) => emit([0x10, ...unsigned(index)], operands),
  }
  for (const { family, name, opcode, immediates } of readOpcodes(table)) {
    body[family] ??= {}
    ;(body[family] as Record<string, unknown>)[name] = (...args: Operand[]) => {
      const bytes = immediates.flatMap((word) => immediate(word, args))
      return emit([...opcode, ...bytes], args)
    }
  }

  return ({ params = [] }, write) => {
    const outer = { code, locals, depth }
    ;[code, locals, depth] = [[], [], 0]
    write(body as unknown as FunctionBody, ...params.map(declare))
    const written = { locals: locals.map(({ type }) => type), code: [...code, END] }
    ;({ code, locals, depth } = outer)
    return written
  }
}

const VOID = 0x40
const END = 0x0b

/** The `local.get` or `i32.const` that an operand stands for. */
function spell(operand: Local | number): number[] {
  return typeof operand === 'number'
    ? [0x41, ...signed(operand)]
    : [0x20, ...unsigned(operand.index)]
}

/** Takes an immediate, in a word of the table of opcodes, off the arguments. */
function immediate(word: string, args: unknown[]): number[] {
  const arg = args.shift()
  if (word === 'lanes') return arg as number[]
  if (word === 'i32') return signed(arg as number)
  // A vector is written as four i32: its shape goes without saying.
  if (word === 'v128') return [...new Uint8Array(Int32Array.from(args.shift() as number[]).buffer)]
  return [Math.log2(Number(word.slice(5))), ...unsigned(arg as number)]
}
