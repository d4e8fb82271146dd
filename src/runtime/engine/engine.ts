/** Declares what executes a Plan. An engine owns the memory; programs and streams say where and how much. */

import type { Model } from '../../model/types.ts'
import type { FrameLayout, Memory } from '../plan/types.ts'

export interface EngineReport {
  readonly kind: 'js' | 'wasm'
  /** `relaxed`: products and sums in one rounding, where the machine can. */
  readonly simd: 'none' | 'simd128' | 'relaxed'
  readonly precision: 'f32' | 'f64'
  /** Whether the results are the same bits on every machine; JavaScript's always are. */
  readonly deterministic: boolean
  /** What runs in JavaScript though WebAssembly was asked for or preferred, and why. */
  readonly fallbacks: readonly Fallback[]
  /** Where `threads` were asked for: over how many workers `predictAsync` splits the rows of a batch. */
  readonly threads?: number
  /** Where more were asked for than can be had: because of the model, or of the host. */
  readonly whyOneThread?: string
}

export interface Fallback {
  /** A node of the model; null for all of it. */
  readonly node: string | null
  readonly why: string
}

/** Some rows and a chunk of steps of a whole run; a single row where a mask skips steps. */
export interface Tile {
  readonly rows: number
  readonly firstStep: number
  readonly steps: number
  /** Whether the sequence begins with this tile, in the direction of the sweep. */
  readonly start: boolean
  /** What happens at all of these steps: a `STEP`. */
  readonly code: number
  /** Whether steps that do not count are missing, rather than masked. */
  readonly missing: boolean
}

/** Where a kernel works: a part of memory, and the tile that lies there. Changed in place. */
export interface Cursor extends Writable<Tile> {
  readonly memory: Memory
  readonly layout: FrameLayout
  frame: number
  /** The state row of the first row. */
  state: number
  stateStride: number
}

type Writable<T> = { -readonly [K in keyof T]: T[K] }

export interface Engine {
  readonly report: EngineReport
  /** Laid out as the plan says. */
  readonly memory: Memory
  /** Runs a stage's kernels for one step of one row, in the frame of a stream. */
  step(stage: number, frame: number, state: number): void
  /** Runs a stage's kernels on a tile of a whole run, in the frame of predict. */
  block(stage: number, tile: Tile): void
  /**
   * Copies `count` vectors that lie `fromStride` apart to where they lie `toStride` apart, all in
   * elements; the two may overlap where `to` ≤ `from`. The larger stride is a whole number of SIMD
   * vectors, and so much of each is copied: what is behind the numbers that count, in the padding, is
   * arbitrary then, and no kernel may take it into a sum over lanes.
   */
  repack(to: number, toStride: number, from: number, fromStride: number, count: number): void
  setWeights(model: Pick<Model, 'nodes'>): void
}
