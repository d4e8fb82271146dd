/**
 * Writes the code of functions.
 *
 * Instructions are methods, named as in the text format and folded: immediates first, then the
 * operands.
 *
 *     local.set(acc, f32x4.add(acc, f32x4.mul(x, v128.load(16, weights))))
 *
 * A value is its code: that of its operands, and then its own bytes. A statement adds its code to
 * that of the function. Types are checked by the compiler (`types.ts`), not here; engines validate
 * every module, and the tests every module of every kernel.
 */

import { type Bytes, signed, unsigned, type ValueType } from './encoding.ts'
import { type Instruction, listInstructions } from './instructions.ts'
import type { Func, FunctionBody, Label, Local } from './types.ts'

/** A function as it was written. */
export interface Written {
  /** Types of the locals, parameters first. */
  readonly locals: readonly ValueType[]
  readonly code: Bytes
}

interface Variable extends Local {
  /** Its `local.get`. */
  readonly get: Bytes
}

type Operand = Bytes | Variable | number
type Method = (...args: never[]) => Bytes | undefined

const instructions = listInstructions().map((each) => ({ ...each, write: writerOf(each) }))

const VOID = 0x40
const END = 0x0b

/** A writer of functions, one after the other. */
export function createFunctionWriter(): (
  params: readonly ValueType[],
  write: (body: FunctionBody, ...params: Local[]) => unknown,
) => Written {
  // Of the function that is being written: no other is begun before it is done.
  let code: Bytes[]
  let locals: Variable[]
  let depth = 0

  function state(...statement: Bytes): undefined {
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

  const families: Record<string, Record<string, Method>> = {}
  for (const { family, name, result, write } of instructions) {
    families[family] ??= {}
    families[family][name] = result === '' ? (...args) => state(write(...args)) : write
  }
  const body = {
    ...families,
    local: Object.assign(declare, {
      get: ({ get }: Variable): Bytes => get,
      set: (local: Local, value: Operand) => state(spell(value), 0x21, unsigned(local.index)),
      tee: (local: Local, value: Operand): Bytes => [spell(value), 0x22, unsigned(local.index)],
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

  return (params, write) => {
    code = []
    locals = []
    // What the table makes of families here, `types.ts` makes of their types at compile time.
    write(body as unknown as FunctionBody, ...params.map(declare))
    state(END)
    return { locals: locals.map(({ type }) => type), code }
  }
}

/** What writes an instruction: its operands, its opcode, and its immediates, which come first. */
function writerOf({ opcode, immediates }: Instruction): (...args: never[]) => Bytes {
  // Zeros are nothing that a caller says; of other immediates no instruction has more than one.
  const code = [...opcode, ...immediates.filter((each) => each === 'zero').map(() => 0)]
  const kind = immediates.find((each) => each !== 'zero')
  if (kind === undefined) return (...operands: Operand[]) => [operands.map(spell), code]
  const encode = encoderOf(kind)
  return (given: never, ...operands: Operand[]) => [operands.map(spell), code, encode(given)]
}

/** The `local.get` or `i32.const` that an operand stands for, or the code that it is. */
function spell(operand: Operand): Bytes {
  if (typeof operand === 'number') return [0x41, signed(operand)]
  return 'get' in operand ? operand.get : operand
}

/** What encodes an immediate, by its word in the table. */
function encoderOf(kind: string): (given: never) => Bytes {
  if (kind === 'lanes') return (lanes: Bytes) => lanes
  if (kind === 'words')
    return (words: readonly number[]) => [...new Uint8Array(Int32Array.from(words).buffer)]
  // The alignment is a hint, and always the natural one: engines do not heed it.
  const align = Math.log2(Number(kind.slice('align'.length)))
  return (offset: number) => [align, unsigned(offset)]
}
