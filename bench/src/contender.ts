/**
 * What the bench asks of a contender.
 *
 * A session holds everything that can be prepared: tensors, buffers, states. Each contender writes
 * its own loop, so that none pays for another's way of being called. In a stream, each call writes
 * a new input where the contender wants it, and leaves the new state where it can be read.
 */

import type { Layer, Work } from './layer.ts'

export interface Contender {
  readonly name: string
  /** Which GRU it computes: only TensorFlow.js cannot do the one with the reset after the product. */
  readonly reset: 'after' | 'before'
  /** Imports what it needs. */
  load(): Promise<void>
  /** From the bytes of a model; or why it cannot run on this Node. */
  create(layer: Layer, work: Work): Promise<Session | Unavailable>
}

export interface Session {
  /** What computes, in a word, where a contender has several engines. */
  readonly engine?: string
  /** Does the work so many times. A stream goes on where it was. */
  run(calls: number): void | Promise<void>
  /** Does the work once from zero states: all outputs [rows, steps, units]. */
  outputs(): Promise<ArrayLike<number>>
}

export interface Unavailable {
  readonly unavailable: string
}
