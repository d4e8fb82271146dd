/**
 * Exports `compileSync` by a function that nothing else imports: esbuild, which divides code file by
 * file, would otherwise give every page what it needs.
 */

import type { Model } from './model/types.ts'
import { compileSync as compileAtOnce } from './runtime/compile-sync.ts'
import type { CompileOptions, Program } from './runtime/program.ts'

/** `compile` without waiting, for worklets. @throws GruvError as `compile`. */
export function compileSync(model: Model, options?: CompileOptions): Program {
  return compileAtOnce(model, options)
}
