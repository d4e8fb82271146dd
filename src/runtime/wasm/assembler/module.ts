/**
 * Puts a WebAssembly module together: functions, and one memory that it imports. The same calls
 * give the same bytes.
 *
 *     const module = createModule()
 *     module.importMemory('env', 'memory', 1, 1)
 *     const double = module.func({ params: ['i32'] }, ({ v128, f32x4, local }, at) => {
 *       const x = local('v128')
 *       local.set(x, v128.load(0, at))
 *       v128.store(0, at, f32x4.add(x, x))
 *     })
 *     module.export('double', double)
 *     WebAssembly.compile(module.bytes())
 */

import {
  type Bytes,
  concat,
  flatten,
  type OwnBytes,
  signed,
  typeCodes,
  unsigned,
  type ValueType,
} from './encoding.ts'
import { createFunctionWriter } from './function.ts'
import type { Func, FunctionBody, Local } from './types.ts'

export type { ValueType } from './encoding.ts'
export type { Func, FunctionBody, Local, Operand, Value } from './types.ts'

export interface Signature<P extends readonly ValueType[] = readonly ValueType[]> {
  /** Stands in the module, for profilers and stack traces. */
  readonly name?: string
  readonly params?: P
}

type Locals<P extends readonly ValueType[]> = { [I in keyof P]: Local<P[I]> }

export interface ModuleBuilder {
  /** In pages of 64 KiB. */
  importMemory(from: string, field: string, min: number, max: number): void
  /** Writes a function, unless the same is there. It can call those that are there already. */
  func<const P extends readonly ValueType[] = []>(
    signature: Signature<P>,
    write: (body: FunctionBody, ...params: Locals<P>) => unknown,
  ): Func<P>
  export(name: string, func: Func): void
  /** Bytes that stand in memory from the start. */
  data(offset: number, bytes: Uint8Array): void
  /** The module, with the names of its functions. */
  bytes(): OwnBytes
}

const TYPE = 1
const IMPORT = 2
const FUNCTION = 3
const EXPORT = 7
const CODE = 10
const DATA = 11

export function createModule(): ModuleBuilder {
  const writeFunction = createFunctionWriter()
  // Items by section, put together once: those of code are long.
  const sections = Array.from({ length: 12 }, (): Uint8Array[] => [])
  /** Functions by a checksum of their code. */
  const bySum = new Map<number, Func[]>()
  const names: Bytes[] = []
  const add = (id: number, item: Bytes): unknown => sections[id].push(flatten(item))

  const builder = {
    importMemory(from: string, field: string, min: number, max: number) {
      add(IMPORT, [text(from), text(field), 0x02, 0x01, unsigned(min), unsigned(max)])
    },
    func(signature: Signature, write: (body: FunctionBody, ...params: Local[]) => unknown) {
      const { name, params = [] } = signature
      const { locals, code } = writeFunction(params, write)
      const type = flatten([0x60, list(params.map(codeOf)), list([])])
      const body = flatten([runsOf(locals.slice(params.length)), code])
      const sizedBody = concat([flatten(unsigned(body.length)), body])
      const sum = sizedBody.reduce((hash, byte) => (31 * hash + byte) | 0, 0)
      const alike = bySum.get(sum) ?? []
      bySum.set(sum, alike)
      const known = alike.find(
        ({ index }) =>
          areEqual(sections[CODE][index], sizedBody) && areEqual(sections[TYPE][index], type),
      )
      if (known !== undefined) return known
      const index = sections[CODE].length
      // Each function has a type of its own: the index of one is that of the other.
      sections[TYPE].push(type)
      add(FUNCTION, unsigned(index))
      sections[CODE].push(sizedBody)
      const func: Func = { index, params }
      alike.push(func)
      if (name) names.push([unsigned(index), text(name)])
      return func
    },
    export(name: string, { index }: Func) {
      add(EXPORT, [text(name), 0x00, unsigned(index)])
    },
    data(offset: number, bytes: Uint8Array) {
      add(DATA, [0x00, 0x41, signed(offset), 0x0b, list(Array.from(bytes))])
    },
    bytes() {
      const named = [text('name'), 1, list([...flatten(list(names))])]
      return concat([
        Uint8Array.of(0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00),
        ...sections.flatMap((items, id) => section(id, unsigned(items.length), items)),
        ...section(0, [], names.length > 0 ? [flatten(named)] : []),
      ])
    },
  }
  // The interface ties the types of handles to those of their signatures; the rest is the same.
  return builder as ModuleBuilder
}

/** Locals as the code section declares them: how many of a type there are in a row. */
function runsOf(locals: readonly ValueType[]): Bytes {
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
function text(value: string): Bytes {
  return list(Array.from(value, (character) => character.charCodeAt(0)))
}

/** As many items as there are, and they. */
function list(items: Bytes): Bytes {
  return [unsigned(items.length), items]
}

/** A section, with its size; nothing where there are no items. */
function section(id: number, head: Bytes, items: readonly Uint8Array[]): readonly Uint8Array[] {
  const content = concat([flatten(head), ...items])
  return items.length > 0 ? [flatten([id, unsigned(content.length)]), content] : []
}

function areEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i])
}
