/**
 * gruv: trained GRU networks anywhere JavaScript runs, with the numbers of the framework that
 * trained them.
 *
 *     const model = await load('layer.npz')
 *     const program = await compile(model)
 *     const { y } = program.predict(x)
 */

export { type ErrorCode, type ErrorDetails, GruvError, isGruvError } from './errors.ts'
export { compose, parseWiring } from './formats/compose.ts'
export type { ArrayNames } from './formats/format.ts'
export type {
  ActivationStep,
  ModuleKind,
  ModuleStep,
  TakeStep,
  Taking,
  Wiring,
  WiringStep,
} from './formats/wiring.ts'
export { type FileSet, type LoadOptions, load, type ModelSource } from './load.ts'
export type { Convention, ConventionOptions } from './model/conventions.ts'
export type { Model, OutputPort, Port } from './model/types.ts'
export {
  type Artifact,
  type ArtifactLayout,
  type ArtifactSlot,
  type EmitOptions,
  emit,
} from './runtime/artifact.ts'
export { compileSync } from './runtime/compile-sync.ts'
export type { EngineReport, Fallback } from './runtime/engine.ts'
export type { Plan } from './runtime/plan.ts'
export {
  type AsyncRunOptions,
  type CompileOptions,
  compile,
  type Program,
  type RunOptions,
  type StatePort,
} from './runtime/program.ts'
export type { State, Stream } from './runtime/stream.ts'
export type { DType, Named, NestedNumbers, PrintedDigits, Tensor, TensorLike } from './tensor.ts'
