/** Makes decisions about a layer and records the ground of each. */

import { GruvError } from '../../errors.ts'
import {
  type Activation,
  activation,
  type ElementwiseActivation,
  isElementwise,
  showActivation,
} from '../activation/activations.ts'
import { flagOf, words } from './choices.ts'
import type { Convention, ConventionKey, ConventionOptions, Origin } from './conventions.ts'

/** A decision and its ground. */
export interface Ground<T> {
  readonly value: T
  readonly origin: Origin
  readonly why: string
}

const KERAS = 'Keras does so, and nothing in the file says otherwise'

export function chosen<T extends string>(key: ConventionKey, value: T): Ground<T> {
  return { value, origin: 'chosen', why: `${flagOf(key)} says so` }
}

export function assumed<T extends string>(value: T): Ground<T> {
  return { value, origin: 'assumed', why: KERAS }
}

/** A decision that follows from the format, or from what the file holds. */
export function implied<T>(value: T, why: string): Ground<T> {
  return { value, origin: 'implied', why }
}

/** A decision that the file states. */
export function stated<T>(value: T, why: string): Ground<T> {
  return { value, origin: 'stated', why }
}

type ActivationKey = 'activation' | 'recurrentActivation' | 'outputActivation'

/** Makes the decisions about one layer and records them. */
export class Decisions {
  readonly conventions: Convention[] = []

  note(key: ConventionKey, { value, origin, why }: Ground<string>): void {
    this.conventions.push({ key, value, origin, why })
  }

  /** What the caller chose, or else what the ground says. */
  decide<T extends string>(key: ConventionKey, choice: T | undefined, ground: Ground<T>): T {
    const decision = choice === undefined ? ground : chosen(key, choice)
    this.note(key, decision)
    return decision.value
  }

  /**
   * @param fallback the default: a name, or a decision that follows from another one.
   * @throws GruvError `unsupported` for softmax, which has no place in a cell.
   */
  decideActivation<K extends ActivationKey>(
    key: K,
    choices: Pick<ConventionOptions, K>,
    grounds: { readonly [P in K]?: Ground<Activation> },
    fallback: string | Ground<Activation>,
  ): ElementwiseActivation {
    const choice: string | undefined = choices[key]
    const decision: Ground<Activation> =
      choice !== undefined
        ? { ...chosen(key, choice), value: activation(choice) }
        : (grounds[key] ??
          (typeof fallback === 'string'
            ? { ...assumed(fallback), value: activation(fallback) }
            : fallback))
    if (!isElementwise(decision.value)) {
      throw new GruvError(
        'unsupported',
        `${decision.value.kind} cannot be the ${words(key)} of a cell`,
        { expected: 'an elementwise activation' },
      )
    }
    this.note(key, { ...decision, value: showActivation(decision.value) })
    return decision.value
  }
}
