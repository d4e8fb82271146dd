/**
 * The equations that a layer uses, in its own convention, beside the textbook's.
 * Textbook: Cho et al. 2014 (arXiv:1406.1078) and Chung et al. 2014 (arXiv:1412.3555, eqs. 5–8).
 */

import { showActivation } from './activations.ts'
import type { GruNode } from './types.ts'

export interface EquationLine {
  readonly ours: string
  readonly textbook: string
  /** Whether they mean different things, and not only different letters. */
  readonly differs: boolean
  /** What the difference is, in words; empty where there is none. */
  readonly note: string
}

export type Equations = readonly EquationLine[]

/** Four lines: z, r, n and the new state. */
export function equations(node: GruNode): Equations {
  const σ =
    node.recurrentActivation.kind === 'sigmoid' ? 'σ' : showActivation(node.recurrentActivation)
  const φ = showActivation(node.activation)
  const { inputBias: bi, recurrentBias: br } = node.weights
  const plus = (terms: readonly (string | false)[]): string =>
    terms
      .filter(Boolean)
      .map((term) => ` + ${term}`)
      .join('')
  const merged = node.bias === 'merged'
  const gate = (g: 'z' | 'r'): string =>
    `${g} = ${σ}(W${g}·x + U${g}·h${plus([bi !== null && `bi${g}`, br !== null && `br${g}`])})`
  const bin = bi !== null && 'bin'
  const brn = br !== null && 'brn'
  const recurrent = node.resetAfter
    ? merged || !brn
      ? 'r ⊙ (Un·h)'
      : 'r ⊙ (Un·h + brn)'
    : 'Un·(r ⊙ h)'
  const outside = node.resetAfter && !merged ? [] : [brn]
  const candidate = `n = ${φ}(Wn·x${plus([bin, ...outside, recurrent])})`
  const blend = node.update === 'keeps' ? "h' = z ⊙ h + (1−z) ⊙ n" : "h' = (1−z) ⊙ h + z ⊙ n"

  const otherGates =
    node.recurrentActivation.kind === 'sigmoid' ? '' : `the gates use ${σ} instead of the sigmoid`
  const reasons = [
    node.resetAfter && 'the reset multiplies after the recurrent product',
    node.resetAfter && brn && !merged && "the candidate's recurrent bias lies inside the reset",
    node.activation.kind !== 'tanh' && `the candidate uses ${φ}`,
  ].filter((reason) => typeof reason === 'string')
  return [
    line(gate('z'), 'z = σ(Wz·x + Uz·h + bz)', otherGates),
    line(gate('r'), 'r = σ(Wr·x + Ur·h + br)', otherGates),
    line(candidate, 'n = tanh(Wn·x + Un·(r ⊙ h) + bn)', reasons.join('; ')),
    line(
      blend,
      "h' = (1−z) ⊙ h + z ⊙ n",
      node.update === 'keeps' ? 'z keeps the old state here, and brings the new one there' : '',
    ),
  ]
}

function line(ours: string, textbook: string, note: string): EquationLine {
  return { ours, textbook, differs: note !== '', note }
}
