/**
 * Puts a WebAssembly module together: functions, and one memory that it imports. The same calls
 * give the same bytes.
 *
 *     const module = createModule(checkedWriter(opcodes))
 *     module.importMemory('env', 'memory', 1, 1)
 *     const square = module.func({ params: ['f32'], result: 'f32' }, ({ f32 }, x) => f32.mul(x, x))
 *     module.export('square', square)
 *     WebAssembly.compile(module.bytes())
 *
 * Functions are written by one of two writers, which give the same code. `checkedWriter`
 * (`checked.ts`) knows the whole language and follows the type stack: every kernel goes through it
 * in `allTools`, and so in the tests. `plainWriter` (`plain.ts`) has what kernels of plain models are
 * written in and trusts them: it is a sixth of the code to download.
 */

import { type Code, flatten, signed, typeCodes, unsigned, type ValueType } from './encoding.ts'
import type { Func, FunctionBody, Local } from './types.ts'

export type { ValueType } from './encoding.ts'
export type { Func, FunctionBody, Label, Local, Operand, Value } from './types.ts'

export interface Signature<
  P extends readonly ValueType[] = readonly ValueType[],
  R extends ValueType | undefined = ValueType | undefined,
> {
  /** Stands in error messages, and in the module. */
  readonly name?: string
  readonly params?: P
  /** One at most: several would reach JavaScript as an array, allocated at each call. */
  readonly result?: R
}

type Locals<P extends readonly ValueType[]> = { [I in keyof P]: Local<P[I]> }

export interface ModuleBuilder {
  /** In pages of 64 KiB. */
  importMemory(from: string, field: string, min: number, max: number): void
  /** Writes a function, unless the same is there. It can call those that are there already. */
  func<const P extends readonly ValueType[] = [], R extends ValueType | undefined = undefined>(
    signature: Signature<P, R>,
    write: (body: FunctionBody, ...params: Locals<P>) => unknown,
  ): Func<P, R>
  export(name: string, func: Func): void
  /** Bytes that stand in memory from the start. */
  data(offset: number, bytes: Uint8Array): void
  /** The module, with the names of its functions, for profilers and stack traces. */
  bytes(): Uint8Array<ArrayBuffer>
}

/** A function as a writer leaves it. */
export interface Written {
  /** Types of the locals, parameters first. */
  readonly locals: readonly ValueType[]
  readonly code: Code
}

/** Writes the functions of one module. `owns` tells whether a function is of that module. */
export type FunctionWriter = (
  signature: Signature & { readonly name: string },
  write: (body: FunctionBody, ...params: Local[]) => unknown,
  owns: (func: Func) => boolean,
) => Written

const TYPE = 1
const IMPORT = 2
const FUNCTION = 3
const EXPORT = 7
const CODE = 10
const DATA = 11

export function createModule(writeFunction: FunctionWriter): ModuleBuilder {
  const sections = Array.from({ length: 12 }, (): Code[] => [])
  const funcs: Func[] = []
  const names: Code[] = []
  const bodies: (readonly number[])[] = []

  const builder = {
    importMemory(from: string, field: string, min: number, max: number) {
      sections[IMPORT].push([text(from), text(field), 0x02, 0x01, unsigned(min), unsigned(max)])
    },
    func(signature: Signature, write: (body: FunctionBody, ...params: Local[]) => unknown) {
      const { name = `func ${funcs.length}`, params = [], result } = signature
      const owns = (func: Func): boolean => func === funcs[func.index]
      const { locals, code } = writeFunction({ name, params, result }, write, owns)
      const type = [0x60, list(params.map(codeOf)), list(result ? [codeOf(result)] : [])]
      const body = flatten([runsOf(locals.slice(params.length)), code])
      const known = funcs.find(
        ({ index }) =>
          bodies[index].length === body.length &&
          bodies[index].every((byte, i) => byte === body[i]) &&
          `${sections[TYPE][index]}` === `${type}`,
      )
      if (known !== undefined) return known
      const index = funcs.length
      // Each function has a type of its own: the index of one is that of the other.
      sections[TYPE].push(type)
      sections[FUNCTION].push(unsigned(index))
      sections[CODE].push(list(body))
      const func: Func = { index, params, result }
      funcs.push(func)
      bodies.push(body)
      if (signature.name) names.push([unsigned(index), text(name)])
      return func
    },
    export(name: string, { index }: Func) {
      sections[EXPORT].push([text(name), 0x00, unsigned(index)])
    },
    data(offset: number, bytes: Uint8Array) {
      sections[DATA].push([0x00, 0x41, signed(offset), 0x0b, sized(Array.from(bytes))])
    },
    bytes() {
      const code = [
        [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
        sections.map((items, id) => (items.length > 0 ? [id, sized(list(items))] : [])),
        names.length > 0 ? [0, sized([text('name'), 1, sized(list(names))])] : [],
      ]
      return new Uint8Array(flatten(code))
    },
  }
  // The interface ties the types of handles to those of their signatures; the rest is the same.
  return builder as ModuleBuilder
}

/** Locals as the code section declares them: how many of a type there are in a row. */
function runsOf(locals: readonly ValueType[]): Code {
  const runs: [count: number, type: number][] = []
  for (const type of locals.map(codeOf)) {
    const last = runs.at(-1)
    if (last?.[1] === type) last[0]++
    else runs.push([1, type])
  }
  return list(runs.map(([count, type]) => [unsigned(count), type]))
}

function codeOf(type: ValueType): number {
  return typeCodes[type]
}

/** Names are ASCII: audio worklets have no TextEncoder, and what users call their layers stays outside. */
function text(value: string): Code {
  return list(Array.from(value, (character) => character.charCodeAt(0)))
}

/** As many items as there are, and they. */
function list(items: Code): Code {
  return [unsigned(items.length), items]
}

/** As many bytes as there are, and they. */
function sized(code: Code): Code {
  return list(flatten(code))
}
