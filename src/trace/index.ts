/**
 * `gruv/trace`: every projection, gate and state of every recurrent layer, step by step.
 *
 *     for (const { layer, first, values } of trace(model, x)) console.log(layer, first, values.z)
 *
 * Computed by the float64 reference, since the fused kernels of a program store no gates.
 */

export {
  type ComparisonOptions,
  compareModels,
  type LayerComparison,
  type ModelComparison,
  type ValueComparison,
  type ValueDifference,
} from './comparison.ts'
export type { ConventionDifference } from './differences.ts'
export { type InputJacobian, type InputJacobianOptions, inputJacobian } from './gradient.ts'
export { type StateJacobianOptions, stateInfluence, stateJacobian } from './jacobian.ts'
export {
  type CandidateStatistics,
  type GateStatistics,
  GatherStatistics,
  type LayerStatistics,
  rolesOf,
  type StatisticsScope,
  statistics,
  type UnitStatistics,
} from './statistics.ts'
export {
  collect,
  type Trace,
  type TraceChunk,
  type TracedLayer,
  type TraceOptions,
  trace,
} from './trace.ts'
export { describeStatistics, timesteps, titleOf } from './words.ts'
