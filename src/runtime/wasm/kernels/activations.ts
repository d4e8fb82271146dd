/** The activations that most cells have, lane by lane: the formulas of `js/ops32.ts`, a row for each. */

import type { ElementwiseActivation } from '../../../model/activations.ts'
import { all, type Lanes, type Result, type Vector } from './lanes.ts'

export type ActivationWriter = (k: Lanes, a: Vector, parameters: readonly number[]) => Result

export const activations = {
  linear: ({ f }, a) => f.local.get(a),
  sigmoid: (k, a) => k.elementary.sigmoid(k, a),
  tanh: (k, a) => k.elementary.tanh(k, a),
  relu: (k, a) => k.f.float.pmax(a, all(k, 0)),
} as const satisfies Readonly<Record<string, ActivationWriter>>

/** φ(a) */
export function activate(k: Lanes, { kind, parameters }: ElementwiseActivation, a: Vector): Result {
  return k.activations[kind]!(k, a, parameters)
}
