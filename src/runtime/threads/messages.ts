/** Declares the messages between a program and its workers: data that can be posted. */

import type { ErrorCode, ErrorDetails } from '../../errors.ts'
import type { Model } from '../../model/types.ts'
import type { Named, Tensor } from '../../tensor.ts'
import type { Plan } from '../plan/types.ts'
import type { RunOptions } from '../run/predict.ts'
import type { Purpose } from '../wasm/emit.ts'
import type { Target, WasmModule } from '../wasm/target.ts'

/** Compiled once, by the program; null for the JavaScript engine. */
export interface SharedCode {
  readonly target: Target
  readonly modules: readonly {
    readonly purpose: Purpose | 'all'
    readonly module: WasmModule
  }[]
}

/** Trained numbers, and nothing else of a model. */
export type Weights = Pick<Model, 'nodes'>

/** Some rows of a batch: every tensor in the graph's order of axes. */
export interface Part {
  readonly inputs: Named<Tensor>
  readonly options: RunOptions
}

export type ToWorker =
  | { readonly start: { readonly plan: Plan; readonly code: SharedCode | null } }
  | { readonly weights: Weights }
  | { readonly id: number; readonly part: Part }

export type FromWorker =
  | { readonly ready: true }
  /** Before it was ready: this host will not have it. */
  | { readonly refused: string }
  | { readonly id: number; readonly share: number }
  | { readonly id: number; readonly results: Named<Tensor> }
  | { readonly id: number; readonly error: PostedError }

/** Errors lose their class and fields on the way. */
export type PostedError =
  | ({ readonly code: ErrorCode; readonly problem: string } & PostedDetails)
  | { readonly code: null; readonly problem: string }

type PostedDetails = Pick<ErrorDetails, 'where' | 'expected' | 'got' | 'fix'>
