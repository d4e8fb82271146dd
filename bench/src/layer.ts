/** Makes the layer and the inputs that every contender gets: random, the same on every run. */

/** Reset after the product, packed as Keras does, gates in the order z, r, n. */
export interface Layer {
  readonly units: number
  /** As many as there are units. */
  readonly features: number
  /** [features, 3·units] */
  readonly kernel: Float32Array
  /** [units, 3·units] */
  readonly recurrentKernel: Float32Array
  /** [2, 3·units]: the input bias before the recurrent one. */
  readonly bias: Float32Array
}

export const workloads = ['stream', 'sequence', 'batch'] as const
export type WorkloadName = (typeof workloads)[number]

/** The work of one call, and its data. */
export interface Work {
  readonly name: WorkloadName
  readonly rows: number
  /** For a stream: inputs that repeat, one for each call. */
  readonly steps: number
  /** [rows, steps, features] */
  readonly x: Float32Array
  /** Steps of single rows in one call: 1 for a stream. */
  readonly stepsPerCall: number
}

/** Uniform in ±1/√units, as PyTorch initialises a GRU. */
export function makeLayer(units: number): Layer {
  const next = uniform(units)
  const scale = 1 / Math.sqrt(units)
  const fill = (size: number): Float32Array =>
    Float32Array.from({ length: size }, () => next() * scale)
  return {
    units,
    features: units,
    kernel: fill(3 * units * units),
    recurrentKernel: fill(3 * units * units),
    bias: fill(6 * units),
  }
}

const sizes: Readonly<Record<WorkloadName, { readonly rows: number; readonly steps: number }>> = {
  // Few enough to stay in the cache for every contender.
  stream: { rows: 1, steps: 32 },
  sequence: { rows: 1, steps: 1000 },
  batch: { rows: 64, steps: 100 },
}

/** Inputs uniform in ±1. */
export function makeWork(name: WorkloadName, { features }: Layer): Work {
  const { rows, steps } = sizes[name]
  const next = uniform(12345)
  const x = Float32Array.from({ length: rows * steps * features }, next)
  return { name, rows, steps, x, stepsPerCall: name === 'stream' ? 1 : rows * steps }
}

/** Numbers in ±1 by xorshift32 (Marsaglia 2003). */
function uniform(seed: number): () => number {
  let state = (seed * 2654435761) | 0 || 1
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return state / 2 ** 31
  }
}

/** [rows, columns] to [columns, rows]. */
export function transpose(a: Float32Array, rows: number, columns: number): Float32Array {
  const turned = new Float32Array(a.length)
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) turned[j * rows + i] = a[i * columns + j]
  }
  return turned
}

/** [rows, steps, width] to [steps, rows, width]. The way back is the same with both exchanged. */
export function swapAxes(
  a: Float32Array,
  rows: number,
  steps: number,
  width: number,
): Float32Array {
  const turned = new Float32Array(a.length)
  for (let row = 0; row < rows; row++) {
    for (let t = 0; t < steps; t++) {
      const from = (row * steps + t) * width
      turned.set(a.subarray(from, from + width), (t * rows + row) * width)
    }
  }
  return turned
}
