/** What an activation is. `activations.ts` finds them by name. */

import type { activationParameters } from './activations.ts'

/** Activations that map one number to one number, and so may stand inside a cell. */
export type ElementwiseKind = keyof typeof activationParameters

export interface Activation {
  /** `softmax` mixes the units of a vector: only Dense and activation layers may have it. */
  readonly kind: ElementwiseKind | 'softmax'
  /** In the order of `activationParameters`. */
  readonly parameters: readonly number[]
}

export type ElementwiseActivation = Activation & { readonly kind: ElementwiseKind }

export function isElementwise(act: Activation): act is ElementwiseActivation {
  return act.kind !== 'softmax'
}
