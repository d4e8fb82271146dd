/**
 * Puts a WebAssembly module together. The same calls give the same bytes.
 *
 *     const module = createModule(opcodes)
 *     module.importMemory('env', 'memory', { min: 1 })
 *     const square = module.func({ params: ['f32'], result: 'f32' }, ({ f32 }, x) => f32.mul(x, x))
 *     module.export('square', square)
 *     WebAssembly.compile(module.bytes())
 *
 * What is checked here is what the engine's own message would not lead back to its cause, or what
 * would be valid and mean something else. A second memory, say, is left to the engine.
 */

import { AssemblerError, writeFunction } from './body.ts'
import { constant, isU32, typeCodes, unsigned, type ValueType } from './encoding.ts'
import { type Opcodes, readOpcodes } from './opcodes.ts'
import type { Func, FunctionBody, Global, Local, Memory } from './types.ts'

export { AssemblerError } from './body.ts'
export type { ValueType } from './encoding.ts'
export type { Func, FunctionBody, Global, Label, Local, Memory, Operand, Value } from './types.ts'

/** In pages of 64 KiB. A shared memory needs a maximum. */
export interface Limits {
  readonly min: number
  readonly max?: number
  readonly shared?: boolean
}

export interface Signature<
  P extends readonly ValueType[] = readonly ValueType[],
  R extends ValueType | undefined = ValueType | undefined,
> {
  /** Stands in error messages, and in the name section where one is asked for. */
  readonly name?: string
  readonly params?: P
  /** One at most: several would reach JavaScript as an array, allocated at each call. */
  readonly result?: R
}

type Locals<P extends readonly ValueType[]> = { [I in keyof P]: Local<P[I]> }

export interface ModuleBuilder {
  // Imports come before what is defined here: they have the low indices.
  importFunc<
    const P extends readonly ValueType[] = [],
    R extends ValueType | undefined = undefined,
  >(from: string, field: string, signature: Signature<P, R>): Func<P, R>
  importMemory(from: string, field: string, limits: Limits): Memory
  importGlobal<T extends ValueType, M extends boolean = false>(
    from: string,
    field: string,
    type: T,
    mutable?: M,
  ): Global<T, M>
  /** Writes a function. It can call those that are there already. */
  func<const P extends readonly ValueType[] = [], R extends ValueType | undefined = undefined>(
    signature: Signature<P, R>,
    write: (body: FunctionBody, ...params: Locals<P>) => unknown,
  ): Func<P, R>
  memory(limits: Limits): Memory
  global<T extends Exclude<ValueType, 'v128'>, M extends boolean = false>(
    type: T,
    value: T extends 'i64' ? bigint : number,
    mutable?: M,
  ): Global<T, M>
  export(name: string, what: Func | Memory | Global): void
  /** Bytes that stand in memory from the start. They are not copied before `bytes()`. */
  data(offset: number, bytes: Uint8Array): void
  /** The module. `names`: with the names of its functions, for profilers and stack traces. */
  bytes(options?: { readonly names?: boolean }): Uint8Array<ArrayBuffer>
}

/** Bytes that are put one after the other in the end. */
type Chunk = ArrayLike<number>

const TYPE = 1
const IMPORT = 2
const FUNCTION = 3
const MEMORY = 5
const GLOBAL = 6
const EXPORT = 7
const CODE = 10
const DATA = 11

/** @param table of the instructions that it is written in. */
export function createModule(table: Opcodes): ModuleBuilder {
  const sections = Array.from({ length: 12 }, (): Chunk[][] => [])
  const instructions = readOpcodes(table)
  const types: string[] = []
  const funcs: Func[] = []
  const names: number[][] = []
  const globals: Global[] = []
  const memory: Memory = { kind: 2, index: 0 }

  function fail(op: string, expected: string, found: string): never {
    throw new AssemblerError('module', op, expected, found)
  }

  function add(section: number, ...chunks: Chunk[]): void {
    sections[section].push(chunks)
  }

  function addImport(section: number, from: string, field: string, description: number[]): void {
    if (sections[section].length > 0) fail(`import ${field}`, 'to come first', 'definitions')
    add(IMPORT, text(from), text(field), description)
  }

  function addFunc(signature: Signature): Func {
    const { name, params = [], result } = signature
    const func: Func = { kind: 0, index: funcs.length, params, result }
    funcs.push(func)
    if (name) names.push([...unsigned(func.index), ...text(name)])
    return func
  }

  function addGlobal(type: ValueType, mutable: boolean): Global {
    const global: Global = { kind: 3, index: globals.length, type, mutable }
    globals.push(global)
    return global
  }

  function encodeLimits({ min, max, shared = false }: Limits): number[] {
    if (!isU32(min) || !isU32(max ?? 0)) fail('memory', 'whole pages', `${min} to ${max}`)
    const flags = Number(max !== undefined) + 2 * Number(shared)
    return [flags, ...unsigned(min), ...(max === undefined ? [] : unsigned(max))]
  }

  /** The index of a function's type, which is written only once. */
  function typeIndex({ params = [], result }: Signature): number[] {
    const type = [0x60, ...vector(params.map(code)), ...vector(result ? [code(result)] : [])]
    const known = types.indexOf(`${type}`)
    if (known >= 0) return unsigned(known)
    add(TYPE, type)
    return unsigned(types.push(`${type}`) - 1)
  }

  function owns(handle: Func | Memory | Global): boolean {
    return handle === memory || handle === funcs[handle.index] || handle === globals[handle.index]
  }

  const builder = {
    importFunc(from: string, field: string, signature: Signature) {
      addImport(FUNCTION, from, field, [0x00, ...typeIndex(signature)])
      return addFunc(signature)
    },
    importMemory(from: string, field: string, limits: Limits) {
      addImport(MEMORY, from, field, [0x02, ...encodeLimits(limits)])
      return memory
    },
    importGlobal(from: string, field: string, type: ValueType, mutable = false) {
      addImport(GLOBAL, from, field, [0x03, code(type), Number(mutable)])
      return addGlobal(type, mutable)
    },
    func(signature: Signature, write: (body: FunctionBody, ...params: Local[]) => unknown) {
      const { name = `func ${funcs.length}`, params = [], result } = signature
      const body = writeFunction(name, params, result ? [result] : [], write, owns, instructions)
      add(FUNCTION, typeIndex(signature))
      add(CODE, unsigned(body.length), body)
      return addFunc(signature)
    },
    memory(limits: Limits) {
      add(MEMORY, encodeLimits(limits))
      return memory
    },
    global(type: ValueType, value: number | bigint, mutable = false) {
      const init = constant(type, value) ?? fail('global', type, `${value}`)
      add(GLOBAL, [code(type), Number(mutable), ...init, 0x0b])
      return addGlobal(type, mutable)
    },
    export(name: string, what: Func | Memory | Global) {
      if (!owns(what)) fail(`export ${name}`, 'one of the module', 'one of another')
      add(EXPORT, text(name), [what.kind, ...unsigned(what.index)])
    },
    data(offset: number, bytes: Uint8Array) {
      const start = constant('i32', offset) ?? fail('data', 'an offset', `${offset}`)
      add(DATA, [0x00, ...start, 0x0b, ...unsigned(bytes.length)], bytes)
    },
    bytes(options: { readonly names?: boolean } = {}) {
      const chunks: Chunk[] = [[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00]]
      sections.forEach((items, id) => {
        if (items.length > 0) chunks.push(...sized(id, [unsigned(items.length), ...items.flat()]))
      })
      if (options.names) {
        chunks.push(...sized(0, [text('name'), ...sized(1, [unsigned(names.length), ...names])]))
      }
      const bytes = new Uint8Array(lengthOf(chunks))
      let at = 0
      for (const chunk of chunks) {
        bytes.set(chunk, at)
        at += chunk.length
      }
      return bytes
    },
  }
  // The interface ties the types of handles to those of their signatures; the rest is the same.
  return builder as ModuleBuilder
}

function code(type: ValueType): number {
  return typeCodes[type]
}

function vector(bytes: readonly number[]): number[] {
  return [...unsigned(bytes.length), ...bytes]
}

/** In UTF-8, without the TextEncoder that audio worklets lack. */
function text(value: string): number[] {
  const utf8 = encodeURIComponent(value).match(/%..|./g) ?? []
  return vector(utf8.map((c) => (c[1] ? Number.parseInt(c.slice(1), 16) : c.charCodeAt(0))))
}

function sized(id: number, chunks: readonly Chunk[]): Chunk[] {
  return [[id, ...unsigned(lengthOf(chunks))], ...chunks]
}

function lengthOf(chunks: readonly Chunk[]): number {
  return chunks.reduce((length, chunk) => length + chunk.length, 0)
}
