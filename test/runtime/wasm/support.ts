import { readFileSync } from 'node:fs'
import {
  createModule as createModuleOf,
  type Func,
  type FunctionBody,
  type Local,
  type ModuleBuilder,
  type ValueType,
} from '../../../src/runtime/wasm/assembler.ts'
import { checkedWriter } from '../../../src/runtime/wasm/checked.ts'
import { opcodes } from '../../../src/runtime/wasm/opcodes.ts'

type Hex = Readonly<Record<string, string>>

/** What wabt makes of the same text: tools/make_wasm_golden.ts. */
export const golden: { readonly opcodes: Hex; readonly modules: Hex; readonly probes: Hex } =
  JSON.parse(readFileSync(new URL('golden.json', import.meta.url), 'utf8'))

export function createModule(): ModuleBuilder {
  return createModuleOf(checkedWriter(opcodes))
}

export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** With a page of memory, for modules that import one (`withMemory`). */
export function instantiate(
  module: ModuleBuilder,
  memory = new WebAssembly.Memory({ initial: 1, maximum: 1 }),
): WebAssembly.Instance {
  const compiled = new WebAssembly.Module(module.bytes())
  return new WebAssembly.Instance(compiled, { env: { memory } })
}

export function withMemory(): ModuleBuilder {
  const module = createModule()
  module.importMemory('env', 'memory', 1, 1)
  return module
}

/** A module of one function, which is called `test`, and of one page of memory. */
export function define<const P extends readonly ValueType[], R extends ValueType | undefined>(
  params: P,
  result: R,
  write: (body: FunctionBody, ...params: { [I in keyof P]: Local<P[I]> }) => unknown,
): { readonly module: ModuleBuilder; readonly func: Func<P, R> } {
  const module = withMemory()
  const func = module.func({ name: 'test', params, ...(result && { result }) }, write)
  return { module, func }
}
