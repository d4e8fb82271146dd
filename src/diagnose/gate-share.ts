/**
 * Finds out whether a single gate could explain all errors.
 *
 * The expected outputs of a layer are its states. One step from each of them gives z and n. The
 * blend h' = z ⊙ h + (1−z) ⊙ n must give the next expected state: it is solved for z with our n,
 * and for n with our z. If a solution leaves the range of its gate's activation, that gate cannot
 * be the only one that is wrong.
 */

import type { Activation } from '../model/activation/activations.ts'
import { isRecurrent } from '../model/layers.ts'
import type { GruNode } from '../model/types.ts'
import { gruStep } from '../runtime/reference/cells.ts'
import type { Target } from './data.ts'
import type { Measured } from './measure.ts'

/** The ranges of activations; those not listed are not bounded on both sides. */
const ranges: Readonly<Partial<Record<Activation['kind'], readonly [number, number]>>> = {
  sigmoid: [0, 1],
  hard_sigmoid: [0, 1],
  tanh: [-1, 1],
  hard_tanh: [-1, 1],
  softsign: [-1, 1],
}
/** Solutions divide by differences; one that is this little outside its range counts as inside. */
const SLACK = 1e-3
/** States that are examined: enough for a pattern, and quick. */
const MOST_STEPS = 256

/** A hint; null where the outputs are not the states of one layer, or where nothing follows. */
export function gateShare(target: Target, tolerance: number, best: Measured): string | null {
  const layer = stateLayer(target, best)
  if (layer === null) return null
  const pairs = consecutive(target).slice(0, MOST_STEPS)
  if (pairs.length === 0) return null
  const { inside, asked } = solve(layer, target, pairs, tolerance, best)
  if (asked === 0) return null
  const alone = (gate: string, share: string): string =>
    `all of the error can come from ${gate} alone, and not from ${share}: look at ${gate === 'the update gate z' ? "z's weights and the sense of z" : "the candidate's weights, its activation and the reset gate"}`
  if (inside.z === asked && inside.n < asked)
    return alone('the update gate z', 'the candidate n, nor the reset gate r within it')
  if (inside.n === asked && inside.z < asked) return alone('the candidate n', 'the update gate z')
  return null
}

/** The single forward GRU layer whose states are expected; null where there is none. */
function stateLayer({ name, overTime }: Target, { model, candidate }: Measured): GruNode | null {
  const [layer, ...others] = model.nodes.filter(isRecurrent)
  const value = model.outputs.find((output) => output.name === name)?.value
  const isPlain =
    layer?.kind === 'gru' &&
    others.length === 0 &&
    layer.direction === 'forward' &&
    model.inputs.length === 1 &&
    layer.inputs.x === model.inputs[0].name &&
    candidate.quirks.length === 0
  return isPlain && overTime && value === layer.outputs.sequence ? layer : null
}

/** Indices of expected states that follow their predecessor in the same row. */
function consecutive({ places }: Target): readonly number[] {
  const found: number[] = []
  for (let i = 1; i < places.length / 2; i++) {
    const follows =
      places[2 * i] === places[2 * i - 2] && places[2 * i + 1] === places[2 * i - 1] + 1
    if (follows) found.push(i)
  }
  return found
}

function solve(
  layer: GruNode,
  { tensor, width, places }: Target,
  pairs: readonly number[],
  tolerance: number,
  { data }: Measured,
): { readonly inside: { z: number; n: number }; readonly asked: number } {
  const [input] = Object.values(data.inputs)
  const [, steps, features] = input.shape
  const ranged = { z: rangeOf(layer.recurrentActivation), n: rangeOf(layer.activation) }
  const inside = { z: 0, n: 0 }
  let asked = 0
  for (const i of pairs) {
    const from = (places[2 * i] * steps + places[2 * i + 1]) * features
    const x = Array.from(input.data.subarray(from, from + features))
    const before = Array.from(tensor.data.subarray((i - 1) * width, i * width))
    const gates = gruStep(layer, x, before)
    for (let u = 0; u < width; u++) {
      const expected = tensor.data[i * width + u]
      if (Math.abs(gates.h[u] - expected) <= tolerance) continue
      asked++
      const keep = layer.update === 'keeps' ? gates.z[u] : 1 - gates.z[u]
      const kept = (expected - gates.n[u]) / (before[u] - gates.n[u])
      if (within(layer.update === 'keeps' ? kept : 1 - kept, ranged.z)) inside.z++
      if (within((expected - keep * before[u]) / (1 - keep), ranged.n)) inside.n++
    }
  }
  return { inside, asked }
}

function rangeOf({ kind }: Activation): readonly [number, number] {
  return ranges[kind] ?? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]
}

function within(value: number, [low, high]: readonly [number, number]): boolean {
  return value >= low - SLACK && value <= high + SLACK
}
