import type { Model } from '../model/types.ts'
import { compileAtOnce } from './at-once.ts'
import type { CompileOptions, Program } from './program.ts'

/**
 * `compile` without waiting, for worklets: everything that any model needs is there already.
 *
 * A file of its own, which nothing else imports: bundlers that divide code file by file would give
 * every page all of it otherwise.
 */
export function compileSync(model: Model, options: CompileOptions = {}): Program {
  return compileAtOnce(model, options)
}
