/**
 * Writes activations lane by lane: the formulas of `js/ops32.ts`, a row for each. Those that most
 * models have are here, the others in `all-activations.ts`.
 */

import type { ElementwiseActivation } from '../../../model/activation/activations.ts'
import { type Arithmetic, type Emitter, madd, type Result, splat, type Vector } from './emitter.ts'

export const coreActivations = {
  linear: ({ f }, a) => f.local.get(a),
  sigmoid: (k, a) => k.elementary.sigmoid(k, a),
  tanh: (k, a) => k.elementary.tanh(k, a),
  relu: (k, a) => k.f.float.pmax(a, splat(k, 0)),
  hard_sigmoid: (k, a, [alpha, beta]) => clampUnit(k, madd(k, a, splat(k, alpha), beta)),
} satisfies Arithmetic['activations']

/** φ(a) */
export function activate(
  k: Emitter,
  { kind, parameters }: ElementwiseActivation,
  a: Vector,
): Result {
  // `compile` chooses an arithmetic that writes all activations of the model.
  return k.activations[kind]!(k, a, parameters)
}

/** a < 0 ? 0 : a > 1 ? 1 : a */
export function clampUnit(k: Emitter, a: Result): Result {
  const { float } = k.f
  return float.pmin(float.pmax(a, splat(k, 0)), splat(k, 1))
}
