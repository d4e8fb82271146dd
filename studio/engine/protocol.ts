/** The calls between the page and the worker, and their data. */

import type { Diagnosis } from '../../src/diagnose/index.ts'
import type { EngineReport, LoadOptions } from '../../src/index.ts'
import type { Equations, ModelSummary, RecurrentNode } from '../../src/model/index.ts'
import type { LayerStatistics, ValueDifference } from '../../src/trace/index.ts'
import type { OutputVerdict } from '../../src/verify/index.ts'

export interface NamedFile {
  /** Its name, or its path in the folder that it came with. */
  readonly path: string
  readonly file: File
}

/** Files that were dropped or chosen, or addresses on the page's own server. */
export type Source = { readonly files: readonly NamedFile[] } | { readonly urls: readonly string[] }

/** The addresses of the data in a folder on the server. */
export interface FolderData {
  readonly input: readonly string[]
  readonly expected: readonly string[]
}

/** Options that a file may need: see `LoadOptions`. */
export type OpenOptions = Pick<LoadOptions, 'module' | 'layer' | 'until' | 'names'>

/** A recurrent layer as the drawings need it. */
export interface CellInfo {
  readonly name: string
  readonly kind: RecurrentNode['kind']
  readonly units: number
  readonly features: number
  readonly direction: 'forward' | 'backward'
  readonly equations: Equations
  readonly activation: string
  readonly recurrentActivation: string
  /** Of a GRU; what an LSTM or a simple RNN does not have is null. */
  readonly resetAfter: boolean | null
  readonly update: 'keeps' | 'updates' | null
  readonly bias: string | null
  /** Of an LSTM: ψ, f = 1 − i, and whether gates see the cell. */
  readonly outputActivation: string
  readonly coupled: boolean
  readonly peepholes: boolean
  /** The source of its input: the name of a layer, or of an input of the model. */
  readonly reads: string
  /** Whether the source is an input of the model, whose numbers can be shown. */
  readonly readsInput: boolean
}

export interface ModelInfo {
  readonly summary: ModelSummary
  readonly cells: readonly CellInfo[]
  readonly edges: readonly Edge[]
  readonly quirks: readonly string[]
  readonly hasReference: boolean
  /** null where the model streams, else why it cannot. */
  readonly obstacle: string | null
  readonly engine: EngineReport
  readonly states: readonly string[]
}

/** A value between a node (or an input) and another node (or an output). */
export interface Edge {
  readonly from: string
  readonly to: string
  readonly shape: readonly (number | string)[]
}

export interface ArrayInfo {
  readonly name: string
  readonly shape: readonly number[]
}

export interface DataInfo {
  readonly arrays: readonly ArrayInfo[]
  /** Where they come from, in words. */
  readonly origin: string
  readonly madeUp: boolean
  readonly rows: number
  readonly steps: number
}

export interface TraceInfo {
  readonly layer: string
  readonly kind: CellInfo['kind']
  readonly row: number
  readonly units: number
  readonly steps: number
  /** Steps of the input; more than `steps` where memory could not hold them all. */
  readonly allSteps: number
  readonly values: readonly string[]
}

/** Everything a layer computes at one timestep. */
export interface StepValues {
  readonly t: number
  readonly known: boolean
  readonly values: Readonly<Record<string, Float64Array>>
  /** The state before the step, by slot (`h`, and `c` of an LSTM). */
  readonly before: Readonly<Record<string, Float64Array>>
  /** The input of the step, where it is an input of the model. */
  readonly x: Float64Array | null
}

/** Units × columns of a value; a column is one step, or several of them. */
export interface Strip {
  readonly mean: Float32Array
  readonly min: Float32Array
  readonly max: Float32Array
}

export interface View {
  readonly from: number
  readonly to: number
  readonly columns: number
  readonly units: number
  readonly strips: Readonly<Record<string, Strip>>
}

export interface RunResult {
  readonly outputs: readonly (ArrayInfo & { readonly head: readonly number[] })[]
  readonly milliseconds: number
  readonly engine: EngineReport
}

export interface VerifyResult {
  readonly pass: boolean
  readonly engine: EngineReport
  readonly outputs: Readonly<
    Record<
      string,
      Omit<OutputVerdict, 'tolerance'> & {
        readonly tolerance: { readonly largest: number; readonly why: string }
      }
    >
  >
}

/** The difference of two models, or of two readings of one, in one output. */
export interface Difference {
  readonly output: string
  readonly compared: number
  readonly maxAbsolute: number
  /** The first place where they differ by more than rounding; null where there is none. */
  readonly first: {
    readonly t: number | null
    readonly unit: number
    readonly a: number
    readonly b: number
  } | null
  readonly overTime: Float64Array
  readonly same: boolean
}

/** Two models, or two readings of one, on the same input. */
export interface Comparison {
  readonly outputs: readonly Difference[]
  /**
   * The first gate, candidate or state that differs; null where none does or none is comparable.
   */
  readonly first: ValueDifference | null
  /** Sentences about gates and conventions. */
  readonly words: readonly string[]
}

export interface StatisticsAnswer {
  readonly numbers: LayerStatistics
  readonly words: readonly string[]
}

export interface SavedFile {
  readonly name: string
  readonly bytes: Uint8Array
  /** What the user should know about it, a sentence each. */
  readonly notes: readonly string[]
}

export interface WeightArray {
  /** `kernel`, `recurrentKernel`, `inputBias`, `recurrentBias`, `peephole`. */
  readonly part: string
  readonly gate: string
  /** [rows, units]; biases have one row. */
  readonly shape: readonly [number, number]
  readonly data: Float32Array
  /** The largest number of its part in size, so that the gates of a part can be compared. */
  readonly reach: number
}

export interface StreamAnswer {
  readonly output: Float64Array
  readonly state: Float64Array
}

/** The worker's functions: arguments in, a promise of the result out. */
export interface Calls {
  open(a: { slot: 'a' | 'b'; source: Source; options: OpenOptions }): Promise<ModelInfo>
  /** Ends the `open` that is pending, if any. */
  cancel(a: Record<string, never>): Promise<null>
  folder(a: { url: string }): Promise<FolderData>
  read(a: { quirks: readonly string[] }): Promise<ModelInfo>
  input(a: { source: Source | 'made-up' | 'reference' }): Promise<DataInfo>
  expected(a: { source: Source | 'reference' }): Promise<DataInfo>
  forgetExpected(a: Record<string, never>): Promise<null>
  trace(a: { layer: string; row: number }): Promise<TraceInfo>
  step(a: { t: number }): Promise<StepValues>
  view(a: { values: readonly string[]; from: number; to: number; columns: number }): Promise<View>
  run(a: { precision: 'f32' | 'f64' }): Promise<RunResult>
  verify(a: { precision: 'f32' | 'f64' }): Promise<VerifyResult>
  diagnose(a: Record<string, never>): Promise<Diagnosis>
  compare(a: { from: 'as-read' | 'b' }): Promise<Comparison>
  statistics(a: Record<string, never>): Promise<StatisticsAnswer>
  saveModel(a: { ending: string }): Promise<SavedFile>
  saveReport(a: Record<string, never>): Promise<SavedFile>
  modelEndings(a: Record<string, never>): Promise<readonly string[]>
  weights(a: { layer: string }): Promise<readonly WeightArray[]>
  save(a: { format: 'npy' | 'csv' | 'npz' | 'json'; precision: 'f32' | 'f64' }): Promise<SavedFile>
  suggestion(a: Record<string, never>): Promise<SavedFile | null>
  streamReset(a: Record<string, never>): Promise<null>
  streamStep(a: { x: readonly number[] }): Promise<StreamAnswer>
}

export type CallName = keyof Calls

/** An error as plain data; `code` is null where it is not a GruvError. */
export interface PlainError {
  readonly code: string | null
  readonly problem: string
  readonly where: string | null
  readonly expected: string | null
  readonly got: string | null
  readonly fix: string | null
}

export type ToWorker = { readonly id: number; readonly call: CallName; readonly args: unknown }

export type FromWorker =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: PlainError }
  | { readonly progress: Progress }

export interface Progress {
  readonly what: 'trace' | 'run'
  readonly share: number
  /** Steps of the trace that are computed. */
  readonly done: number
}
