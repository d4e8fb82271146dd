/**
 * The interface of a contender.
 *
 * A session holds everything that can be prepared: tensors, buffers, states. Each contender writes
 * its own loop, so that none pays for another's calling convention. In a stream, each call writes a
 * new input where the contender wants it, and leaves the new state where it can be read.
 */

import type { Layer, Work } from './layer.ts'

export interface Contender {
  readonly name: string
  /**
   * The GRU that it computes: TensorFlow.js alone lacks the one with the reset after the product.
   */
  readonly reset: 'after' | 'before'
  /** Imports what it needs. */
  load(): Promise<void>
  /** A session from the bytes of a model; or the reason why it cannot run on this Node. */
  create(layer: Layer, work: Work): Promise<Session | Unavailable>
}

export interface Session {
  /** The name of the engine, where a contender has several. */
  readonly engine?: string
  /** Does the work `calls` times. A stream continues from its last state. */
  run(calls: number): void | Promise<void>
  /** Does the work once from zero states: all outputs [rows, steps, units]. */
  outputs(): Promise<ArrayLike<number>>
}

export interface Unavailable {
  readonly unavailable: string
}
