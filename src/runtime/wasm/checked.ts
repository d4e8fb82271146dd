/**
 * Writes one function and checks the type stack while it does, by the algorithm in the appendix of
 * the specification ("Validation Algorithm").
 *
 * Instructions are methods, named as in the text format and written like it: immediates first, then
 * either no operand, which takes them off the stack, or all of them, folded:
 *
 *     local.set(acc, f32x4.add(acc, f32x4.mul(x, v128.load(16, weights))))
 *
 * JavaScript evaluates arguments before the call, so the operands of a folded instruction have been
 * written when its own turn comes. A local or a number among them stands for its `local.get` or
 * `const`, which is put right before the code of the value that follows it. A value serves once,
 * and only while it is on top of the stack.
 */

import type { FunctionWriter, Written } from './assembler.ts'
import { typeCodes, unsigned, type ValueType } from './encoding.ts'
import { constant, immediate } from './immediates.ts'
import { type Instruction, type Opcodes, readOpcodes } from './opcodes.ts'
import type { Func, FunctionBody, Label, Local } from './types.ts'

/** A mistake of whoever wrote the kernel: no input of a user leads here. */
export class AssemblerError extends Error {
  override readonly name = 'AssemblerError'

  constructor(func: string, op: string, expected: string, found: string) {
    super(`${func}: ${op} expects ${expected}, found ${found}`)
  }
}

/** `undefined` is of any type: what the stack of dead code gives. */
type Type = ValueType | undefined

/** A `Value` as the stack knows it. */
interface Entry {
  readonly type: Type
  readonly start: number
  readonly end: number
}

interface Frame extends Label {
  readonly op: string
  /** How much of the stack is out of its reach. */
  readonly height: number
  /** What a branch to it takes along. */
  readonly branch: readonly ValueType[]
  /** Behind an unconditional branch: nothing runs, and the stack gives whatever is asked of it. */
  dead: boolean
}

/** Whatever is wrong throws an AssemblerError that names the function and the instruction. */
export function checkedWriter(table: Opcodes): FunctionWriter {
  const families = membersOf(readOpcodes(table))
  return ({ name, params = [], result }, write, owns) =>
    writeFunction(name, params, result ? [result] : [], write, owns, families)
}

/** The index of another module's function would be valid here, and wrong: hence `owns`. */
function writeFunction(
  name: string,
  params: readonly ValueType[],
  results: readonly ValueType[],
  write: (body: FunctionBody, ...params: Local[]) => unknown,
  owns: (func: Func) => boolean,
  families: Families,
): Written {
  const code: number[] = []
  const stack: Entry[] = []
  const frames: Frame[] = []
  const locals: Local[] = []

  function fail(op: string, expected: string, found = list(reachable())): never {
    throw new AssemblerError(name, op, expected, found)
  }

  function reachable(): Type[] {
    return stack.slice(frames.at(-1)?.height).map((entry) => entry.type)
  }

  /** Takes the operands of an instruction off the stack. Returns where their code begins. */
  function take(op: string, types: readonly Type[], operands: readonly unknown[]): number {
    const frame = frames.at(-1) ?? fail(op, 'an open function', 'a finished one')
    if (operands.length > 0 && operands.length !== types.length) {
      fail(op, list(types), `${operands.length} operands`)
    }
    let top = stack.length
    let start = code.length
    for (let i = types.length - 1; i >= 0; i--) {
      const operand = operands[i]
      const bytes = spell(op, types[i], operand)
      if (bytes) {
        // It would run before code that was written, and is to be read, before it.
        if (Number.isNaN(start)) fail(op, 'operands in one piece', 'other code in between')
        code.splice(start, 0, ...bytes)
        continue
      }
      let entry: Entry = { type: undefined, start, end: start }
      if (top > frame.height) entry = stack[--top]
      else if (!frame.dead) fail(op, list(types))
      if (types[i] && entry.type && types[i] !== entry.type) fail(op, list(types))
      if (operand !== undefined && operand !== entry) fail(op, 'values in turn', 'one out of turn')
      start = entry.end === start ? entry.start : Number.NaN
    }
    stack.length = top
    return start
  }

  /** The `local.get` or `const` that an operand stands for; nothing for one on the stack. */
  function spell(op: string, type: Type, operand: unknown): number[] | undefined {
    if (isLocal(operand)) {
      if (type && type !== operand.type) fail(op, type, `local ${operand.type}`)
      return [0x20, ...indexOf(op, operand)]
    }
    if (typeof operand !== 'number' && typeof operand !== 'bigint') return undefined
    return constant(type, operand) ?? fail(op, type ?? 'a typed operand', `${operand}`)
  }

  /** The index of a local of this function, or of a function of its module. */
  function indexOf(op: string, handle: Local | Func): number[] {
    const own = isLocal(handle) ? locals[handle.index] === handle : owns(handle)
    if (!own) fail(op, 'its own', 'that of another')
    return unsigned(handle.index)
  }

  function leave(types: readonly Type[], start: number): Entry | undefined {
    const entries = types.map((type) => ({ type, start, end: code.length }))
    stack.push(...entries)
    return entries[0]
  }

  function emit(
    op: string,
    bytes: readonly number[],
    types: readonly Type[],
    operands: readonly unknown[],
    results: readonly Type[],
  ): Entry | undefined {
    const start = take(op, types, operands)
    code.push(...bytes)
    return leave(results, start)
  }

  function die(): undefined {
    const frame = frames[frames.length - 1]
    stack.length = frame.height
    frame.dead = true
  }

  /** Writes what a structured instruction holds; a second body is that of the `else`. */
  function enclose(
    op: string,
    results: readonly ValueType[],
    branch: readonly ValueType[],
    bodies: readonly ((label: Label) => unknown)[],
  ): void {
    const depth = frames.length
    const frame: Frame = { op, depth, height: stack.length, branch, dead: false }
    frames.push(frame)
    bodies.forEach((body, i) => {
      if (i > 0) code.push(0x05)
      frame.dead = false
      body(frame)
      if (stack.length > frame.height + results.length) fail(`end of ${op}`, list(results))
      take(`end of ${op}`, results, [])
    })
    frames.pop()
    code.push(0x0b)
  }

  function structured(op: string, opcode: number): (...args: unknown[]) => Entry | undefined {
    return (...args) => {
      const results = (typeof args[0] === 'string' ? [args.shift()] : []) as ValueType[]
      const start = op === 'if' ? take(op, ['i32'], [args.shift()]) : take(op, [], [])
      const bodies = args.filter(Boolean) as (() => unknown)[]
      if (op === 'if' && results[0] && !bodies[1]) fail('if with a result', 'an else', 'none')
      code.push(opcode, results[0] ? typeCodes[results[0]] : 0x40)
      enclose(op, results, op === 'loop' ? [] : results, bodies)
      return leave(results, start)
    }
  }

  function reach(op: string, label: Label): [depth: number[], types: readonly ValueType[]] {
    const at = frames.indexOf(label as Frame)
    if (at < 0) fail(op, 'a label around it', `that of a closed ${(label as Frame).op}`)
    return [unsigned(frames.length - 1 - at), frames[at].branch]
  }

  function declare<T extends ValueType>(type: T): Local<T> {
    const local: Local<T> = { kind: 'local', type, index: locals.length }
    locals.push(local)
    return local
  }

  function variable(op: string, opcode: number, takes: boolean, leaves: boolean) {
    return (handle: Local, ...operands: unknown[]): Entry | undefined => {
      const types = [handle.type]
      const bytes = [opcode, ...indexOf(op, handle)]
      return emit(op, bytes, takes ? types : [], operands, leaves ? types : [])
    }
  }

  const control = {
    local: Object.assign(declare, {
      get: variable('local.get', 0x20, false, true),
      set: variable('local.set', 0x21, true, false),
      tee: variable('local.tee', 0x22, true, true),
    }),
    block: structured('block', 0x02),
    loop: structured('loop', 0x03),
    if: structured('if', 0x04),
    br(label: Label, ...operands: unknown[]) {
      const [depth, types] = reach('br', label)
      emit('br', [0x0c, ...depth], types, operands, [])
      die()
    },
    br_if(label: Label, ...operands: unknown[]) {
      const [depth, types] = reach('br_if', label)
      emit('br_if', [0x0d, ...depth], [...types, 'i32'], operands, types)
    },
    return(...result: unknown[]) {
      emit('return', [0x0f], results, result, [])
      die()
    },
    unreachable() {
      emit('unreachable', [0x00], [], [], [])
      die()
    },
    call(func: Func, ...operands: unknown[]) {
      const left = func.result ? [func.result] : []
      return emit('call', [0x10, ...indexOf('call', func)], func.params, operands, left)
    },
    drop: (...operand: unknown[]) => emit('drop', [0x1a], [undefined], operand, []),
    select: (type: ValueType, ...operands: unknown[]) =>
      emit('select', [0x1b], [type, type, 'i32'], operands, [type]),
  }
  function method({ family, name, opcode, immediates, types, results }: Instruction): Method {
    const op = `${family}.${name}`
    return (...args) => {
      let bytes = opcode
      for (const word of immediates) {
        const arg = word === 'zero' || args.shift()
        const encoded = immediate(word, arg, word === 'v128' ? args.shift() : undefined)
        bytes = [...bytes, ...(encoded ?? fail(op, `a valid ${word}`, `${arg}`))]
      }
      return emit(op, bytes, types, args, results)
    }
  }

  params.forEach(declare)
  // What the table makes of families here, it makes of their type at compile time.
  const body = { ...control, ...familiesOf(families, method) } as unknown as FunctionBody
  enclose('function', results, results, [() => write(body, ...locals)])

  return { locals: locals.map(({ type }) => type), code }
}

type Method = (...args: unknown[]) => unknown
type Family = Record<string, Method>

/** For each family an object whose methods are made when they are first asked for: a function has a few of them. */
function familiesOf(
  families: Families,
  method: (instruction: Instruction) => Method,
): Record<string, Family> {
  const own = [...families].map(([family, members]): [string, Family] => [
    family,
    Object.create(members, { [METHOD]: { value: method } }),
  ])
  return Object.fromEntries(own)
}

const METHOD = Symbol('method')

type Families = ReadonlyMap<string, object>

/** The members of each family, for `familiesOf`: the same for all functions. */
function membersOf(instructions: readonly Instruction[]): Families {
  const families = new Map<string, object>()
  for (const instruction of instructions) {
    const { family, name } = instruction
    const members = families.get(family) ?? {}
    families.set(family, members)
    Object.defineProperty(members, name, {
      get(this: { readonly [METHOD]: (instruction: Instruction) => Method }) {
        const value = this[METHOD](instruction)
        Object.defineProperty(this, name, { value })
        return value
      },
    })
  }
  return families
}

function isLocal(operand: unknown): operand is Local {
  return (operand as Partial<Local> | undefined)?.kind === 'local'
}

function list(types: readonly Type[]): string {
  return `[${types.map((type) => type ?? 'any').join(' ')}]`
}
