/**
 * Writes the equations of a recurrent layer in its own convention, beside the textbook's.
 * Textbook of the GRU: Cho et al. 2014 (arXiv:1406.1078) and Chung et al. 2014 (arXiv:1412.3555,
 * eqs. 5–8); of the LSTM: Gers, Schmidhuber and Cummins 2000, in the letters of Greff et al. 2017
 * (arXiv:1503.04069), without peepholes; of the simple RNN: Elman 1990.
 */

import { type ElementwiseActivation, showActivation } from './activation/activations.ts'
import type { GruNode, LstmNode, RecurrentNode, RnnNode } from './types.ts'

export interface EquationLine {
  readonly ours: string
  readonly textbook: string
  /** Whether they differ in meaning, not only in letters. */
  readonly differs: boolean
  /** The difference in words; empty where there is none. */
  readonly note: string
}

export type Equations = readonly EquationLine[]

/** A line for each gate, the candidate and each state, in the order of computation. */
export function equations(node: RecurrentNode): Equations {
  if (node.kind === 'gru') return gruEquations(node)
  return node.kind === 'lstm' ? lstmEquations(node) : rnnEquations(node)
}

function gruEquations(node: GruNode): Equations {
  const σ = gateActivation(node.recurrentActivation)
  const φ = showActivation(node.activation)
  const { inputBias: bi, recurrentBias: br } = node.weights
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

  const otherGates = gateNote(node.recurrentActivation)
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

function lstmEquations(node: LstmNode): Equations {
  const σ = gateActivation(node.recurrentActivation)
  const [φ, ψ] = [showActivation(node.activation), showActivation(node.outputActivation)]
  const { inputBias: bi, recurrentBias: br, peephole } = node.weights
  const sees = peephole !== null
  const sum = (g: string, cell: string | false): string =>
    `W${g}·x + U${g}·h${plus([bi !== null && `bi${g}`, br !== null && `br${g}`, cell])}`
  const gate = (g: 'i' | 'f' | 'o', cell: string): string =>
    `${g} = ${σ}(${sum(g, sees && `p${g} ⊙ ${cell}`)})`
  const seen = (cell: string): string | false => sees && `the gate sees ${cell}`
  const otherGates = gateNote(node.recurrentActivation)
  const notes = (...reasons: (string | false)[]): string => reasons.filter(Boolean).join('; ')
  const forget = node.coupled
    ? line('f = 1 − i', 'f = σ(Wf·x + Uf·h + bf)', 'the forget gate is what the input gate leaves')
    : line(gate('f', 'c'), 'f = σ(Wf·x + Uf·h + bf)', notes(otherGates, seen('the cell')))
  return [
    line(gate('i', 'c'), 'i = σ(Wi·x + Ui·h + bi)', notes(otherGates, seen('the cell'))),
    forget,
    line(
      `g = ${φ}(${sum('g', false)})`,
      'g = tanh(Wg·x + Ug·h + bg)',
      node.activation.kind === 'tanh' ? '' : `the candidate uses ${φ}`,
    ),
    line("c' = f ⊙ c + i ⊙ g", "c' = f ⊙ c + i ⊙ g", ''),
    line(gate('o', "c'"), 'o = σ(Wo·x + Uo·h + bo)', notes(otherGates, seen('the new cell'))),
    line(
      `h' = o ⊙ ${ψ}(c')`,
      "h' = o ⊙ tanh(c')",
      node.outputActivation.kind === 'tanh' ? '' : `the cell leaves through ${ψ}`,
    ),
  ]
}

function rnnEquations({ activation, weights }: RnnNode): Equations {
  const φ = showActivation(activation)
  const biases = plus([weights.inputBias !== null && 'bi', weights.recurrentBias !== null && 'br'])
  const note = activation.kind === 'tanh' ? '' : `the state passes through ${φ}`
  return [line(`h' = ${φ}(W·x + U·h${biases})`, "h' = tanh(W·x + U·h + b)", note)]
}

function gateActivation(σ: ElementwiseActivation): string {
  return σ.kind === 'sigmoid' ? 'σ' : showActivation(σ)
}

function gateNote(σ: ElementwiseActivation): string {
  return σ.kind === 'sigmoid' ? '' : `the gates use ${showActivation(σ)} instead of the sigmoid`
}

function plus(terms: readonly (string | false)[]): string {
  return terms
    .filter(Boolean)
    .map((term) => ` + ${term}`)
    .join('')
}

function line(ours: string, textbook: string, note: string): EquationLine {
  return { ours, textbook, differs: note !== '', note }
}
