/**
 * gruv: trained GRU networks anywhere JavaScript runs, with the numbers of the framework that
 * trained them.
 *
 *     const model = await load('layer.npz')
 *     const program = await compile(model)
 *     const { y } = program.predict(x)
 */

export { type ErrorCode, type ErrorDetails, GruvError, isGruvError } from './errors.ts'
export type { ArrayNames } from './formats/format.ts'
export { compose, parseWiring } from './formats/wiring/compose.ts'
export type {
  ActivationStep,
  ModuleKind,
  ModuleStep,
  TakeStep,
  Taking,
  Wiring,
  WiringStep,
} from './formats/wiring/wiring.ts'
export type { LimitOptions, Limits } from './limits.ts'
export type { FileSet } from './load/file-set.ts'
export { load } from './load/load.ts'
export type { LoadOptions } from './load/options.ts'
export type { ModelSource } from './load/sources.ts'
export type { Convention, ConventionOptions } from './model/conventions/conventions.ts'
export type { Model, OutputPort, Port } from './model/types.ts'
export { compile } from './runtime/compile.ts'
export type { EngineReport, Fallback } from './runtime/engine/engine.ts'
export type { Plan } from './runtime/plan/types.ts'
export type {
  AsyncRunOptions,
  CompileOptions,
  Outputs,
  Program,
  RunOptions,
  StatePort,
} from './runtime/program.ts'
export type { State, Stream } from './runtime/run/stream.ts'
export { type EmitOptions, emit } from './runtime/wasm/artifact.ts'
export type { Artifact, ArtifactLayout, ArtifactSlot } from './runtime/wasm/prebuilt.ts'
export { compileSync } from './sync.ts'
export type {
  DType,
  Named,
  NestedNumbers,
  PrintedDigits,
  Tensor,
  TensorLike,
  WithNames,
} from './tensor.ts'
