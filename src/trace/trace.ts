/** Computes every value of every recurrent layer, chunk by chunk. */

import { GruvError } from '../errors.ts'
import { isRecurrent } from '../model/layers.ts'
import type { Model, RecurrentNode } from '../model/types.ts'
import { cellStep, cellValues, stateSlots } from '../runtime/reference/cells.ts'
import { whichStepsCount } from '../runtime/reference/recurrent.ts'
import { STEP } from '../runtime/run/masks.ts'
import { notFound } from '../runtime/run/named.ts'
import type { Named, Tensor, TensorLike } from '../tensor.ts'
import {
  type RecurrentInputs,
  recurrentInputs,
  type StateAndMaskOptions,
} from './recurrent-inputs.ts'

export interface TracedLayer {
  readonly name: string
  readonly kind: RecurrentNode['kind']
  readonly units: number
  readonly direction: 'forward' | 'backward'
  readonly rows: number
  /** The first timestep that is traced; 0 unless the caller asked for some only. */
  readonly first: number
  readonly steps: number
  /**
   * What a step computes, in the order of computing. GRU: the projections xz xr xn (from the input)
   * and hz hr hn (from the state), each with its bias, then z r n h. LSTM: xi xf xg xo hi hf hg ho,
   * then i f g o c h. Simple RNN: xh hh h.
   */
  readonly values: readonly string[]
}

/** Some steps of one row of one layer. */
export interface TraceChunk {
  readonly layer: string
  /** Of the batch. */
  readonly row: number
  /** The first of these consecutive timesteps, in either direction of computing. */
  readonly first: number
  readonly steps: number
  /** Each [steps, units]. Masked steps have no gates (NaN) and repeat the state. */
  readonly values: Named<Float64Array>
  /** The states before the first computed step, by slot (`h`, and `c` of an LSTM): [units]. */
  readonly before: Named<Float64Array>
}

export interface Trace extends Iterable<TraceChunk> {
  readonly engine: 'reference'
  readonly layers: readonly TracedLayer[]
}

export interface TraceOptions extends StateAndMaskOptions {
  /**
   * Names of the layers to trace; default: all recurrent layers. The part before a dot, such as the
   * name of a bidirectional layer, selects all layers whose names begin with it.
   */
  readonly layers?: readonly string[]
  /** Timesteps of a chunk; default 256. */
  readonly chunk?: number
  /**
   * The timesteps from the first of these to before the second, or to the end. The steps before
   * them are computed as well.
   */
  readonly steps?: readonly [from: number, to?: number]
}

const CHUNK = 256

/**
 * All steps: layer by layer in the order of the graph, row by row, in the order of computing (a
 * backward layer begins at the end). Memory holds one chunk and the inputs of the layers.
 * @throws GruvError when the input does not fit the model, `not-found` for a layer, `bad-argument`
 *   for timesteps that do not exist.
 */
export function trace(
  model: Model,
  x: TensorLike | Named<TensorLike>,
  options: TraceOptions = {},
): Trace {
  const names = model.nodes.filter(isRecurrent).map(({ name }) => name)
  const recurrent = recurrentInputs(model, x, wantedLayers(names, options.layers), options)
  const { chunk = CHUNK } = options
  const layers = recurrent.map(({ node, inputs }): TracedLayer => {
    const { name, kind, units, direction } = node
    const [rows, all] = inputs.x.shape
    const [first, end] = wantedSteps(name, all, options.steps)
    const values = cellValues(node)
    return { name, kind, units, direction, rows, first, steps: end - first, values }
  })
  return {
    engine: 'reference',
    layers,
    *[Symbol.iterator]() {
      for (const [i, layer] of recurrent.entries()) {
        const { rows, first, steps } = layers[i]
        for (let row = 0; row < rows; row++)
          yield* traceRow(layer, row, chunk, first, first + steps)
      }
    },
  }
}

/** @param names of all recurrent layers. @throws GruvError `not-found` for an unknown name. */
export function wantedLayers(
  names: readonly string[],
  wanted: readonly string[] | undefined,
): readonly string[] {
  if (wanted === undefined) return names
  for (const each of wanted) {
    if (!names.some((name) => isCalled(name, each))) throw notFound('recurrent layer', each, names)
  }
  return names.filter((name) => wanted.some((each) => isCalled(name, each)))
}

function isCalled(name: string, wanted: string): boolean {
  return name === wanted || name.startsWith(`${wanted}.`)
}

/** From the first to before the last; the whole sequence by default. */
function wantedSteps(
  layer: string,
  all: number,
  [from, to = all]: readonly [from: number, to?: number] = [0],
): readonly [number, number] {
  if (Number.isInteger(from) && Number.isInteger(to) && from >= 0 && from < to && to <= all)
    return [from, to]
  throw new GruvError('bad-argument', 'these timesteps are not there', {
    where: `${layer}, steps`,
    expected: `two whole numbers from 0 to ${all}, the first below the second`,
    got: `${from}, ${to}`,
  })
}

function* traceRow(
  { node, inputs, masks, initial, vectorAt }: RecurrentInputs,
  row: number,
  chunk: number,
  from: number,
  to: number,
): Generator<TraceChunk> {
  const [, steps] = inputs.x.shape
  const { units } = node
  const forward = node.direction === 'forward'
  const names = cellValues(node)
  const { codeAt } = whichStepsCount(inputs, row, steps, masks)
  let states = initial(row)
  /** Computes a timestep unless it is masked; returns whether it did. */
  const step = (t: number): boolean => {
    const counts = codeAt(t) === STEP.valid
    if (counts) states = cellStep(node, vectorAt(row, t), states)
    return counts
  }
  // The steps before the wanted ones are computed but not kept.
  if (forward) for (let t = 0; t < from; t++) step(t)
  else for (let t = steps - 1; t >= to; t--) step(t)
  for (let done = 0; done < to - from; done += chunk) {
    const count = Math.min(chunk, to - from - done)
    const first = forward ? from + done : to - done - count
    const values = Object.fromEntries(
      names.map((name) => [name, new Float64Array(count * units).fill(Number.NaN)]),
    )
    const before = Object.fromEntries(
      stateSlots(node).map((slot) => [slot, Float64Array.from(states[slot])]),
    )
    for (let i = 0; i < count; i++) {
      const t = forward ? first + i : first + count - 1 - i
      const known = step(t) ? names : stateSlots(node)
      for (const name of known) values[name].set(states[name], (t - first) * units)
    }
    yield { layer: node.name, row, first, steps: count, values, before }
  }
}

/**
 * A trace as whole tensors, by layer and value, each [rows, steps, units]: for short sequences.
 */
export function collect(traced: Trace): Named<Named<Tensor>> {
  const byLayer = new Map(
    traced.layers.map(({ name, rows, first, steps, units, values }) => {
      const empty = (value: string): readonly [string, Tensor] => [
        value,
        { shape: [rows, steps, units], data: new Float64Array(rows * steps * units) },
      ]
      return [name, { begin: first, steps, units, tensors: Object.fromEntries(values.map(empty)) }]
    }),
  )
  for (const { layer, row, first, values } of traced) {
    const { begin, steps, units, tensors } = byLayer.get(layer)!
    for (const [name, numbers] of Object.entries(values))
      tensors[name].data.set(numbers, (row * steps + first - begin) * units)
  }
  return Object.fromEntries([...byLayer].map(([name, { tensors }]) => [name, tensors]))
}
