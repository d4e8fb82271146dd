/**
 * The entry point `gruv/core`: what most models need, in one file and without waiting, for
 * worklets, service workers and pages without a bundler.
 *
 *     const program = compileSync(loadSync(bytes))
 */

export { type ErrorCode, type ErrorDetails, GruvError, isGruvError } from '../errors.ts'
export type { ArrayNames } from '../formats/format.ts'
export type { Convention, ConventionOptions } from '../model/conventions/conventions.ts'
export type { Model, OutputPort, Port } from '../model/types.ts'
export type { EngineReport, Fallback } from '../runtime/engine/engine.ts'
export type { Plan } from '../runtime/plan/types.ts'
export type {
  AsyncRunOptions,
  CompileOptions,
  Outputs,
  Program,
  RunOptions,
  StatePort,
} from '../runtime/program.ts'
export type { State, Stream } from '../runtime/run/stream.ts'
export type { DType, Named, Tensor, TensorLike } from '../tensor.ts'
export { compileSync } from './compile.ts'
export { type LoadSyncOptions, loadSync } from './load.ts'
