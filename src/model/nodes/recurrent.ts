/**
 * Types of the recurrent layers, which carry a state from step to step.
 *
 * Input ports of all of them: `x` [rows, steps, features]; optionally `initialState` [rows, units],
 * `mask` [rows, steps] (0 where a step does not count) and `lengths` [rows] (how many steps there
 * are). Output ports: `sequence` [rows, steps, units], step t beside input step t in either
 * direction; `last` [rows, units], the output at the step that comes last; `state` [rows, units],
 * the state after it. The last two differ where that step is masked.
 */

import type { Tensor } from '../../tensor.ts'
import type { ElementwiseActivation } from '../activation/activations.ts'
import type { NodeBase } from './base.ts'

/** What a recurrent layer gives out at a masked step. Its state stays as it is. */
export type MaskedOutput =
  /** The output before it; zeros before the first step that counts. */
  | 'repeat'
  /** Zeros. */
  | 'zero'
  /** The state; before the first step that counts, the initial state. */
  | 'state'

interface RecurrentBase extends NodeBase {
  readonly features: number
  readonly units: number
  /** From the first step to the last, or from the last to the first. */
  readonly direction: 'forward' | 'backward'
  /** The output at masked steps. */
  readonly maskedOutput: MaskedOutput
  /**
   * Pre-activations of the gates and the candidate are limited to ±clip (ONNX); null for no limit.
   * An LSTM's cell is not limited on its way out, as ONNX Runtime has it.
   */
  readonly clip: number | null
}

/** The arrays of a recurrent layer: a tensor each, or one for each gate. */
export interface CellWeights<Arrays> {
  /** W, each [features, units]: input i reaches unit u through `data[i·units + u]`. */
  readonly kernel: Arrays
  /** U, each [units, units]: state i reaches unit u through `data[i·units + u]`. */
  readonly recurrentKernel: Arrays
  /** bi, each [units]; null where the source has none. */
  readonly inputBias: Arrays | null
  /** br, each [units]; null where the source has one bias only, or none. */
  readonly recurrentBias: Arrays | null
}

/** One array for each gate: update `z`, reset `r`, candidate `n`. */
export interface PerGate<T> {
  readonly z: T
  readonly r: T
  readonly n: T
}

/**
 * A gated recurrent unit layer.
 *
 *     z = σ(Wz·x + Uz·h + biz + brz)
 *     r = σ(Wr·x + Ur·h + bir + brr)
 *     n = φ(Wn·x + bin + r ⊙ (Un·h + brn))      resetAfter, bias separate
 *     n = φ(Wn·x + bin + brn + r ⊙ (Un·h))      resetAfter, bias merged
 *     n = φ(Wn·x + Un·(r ⊙ h) + bin + brn)      reset before
 *     h' = z ⊙ h + (1−z) ⊙ n                    z keeps
 *     h' = (1−z) ⊙ h + z ⊙ n                    z updates
 */
export interface GruNode extends RecurrentBase {
  readonly kind: 'gru'
  /** Whether the reset gate multiplies the recurrent product (true) or the state before it (false). */
  readonly resetAfter: boolean
  /** What an update gate of 1 does: keep the old state, or update it to the candidate. */
  readonly update: 'keeps' | 'updates'
  /** Whether the candidate's recurrent bias lies inside the reset (`separate`) or beside the input bias. */
  readonly bias: 'separate' | 'merged' | 'none'
  /** φ, of the candidate. */
  readonly activation: ElementwiseActivation
  /** σ, of the gates. */
  readonly recurrentActivation: ElementwiseActivation
  readonly weights: GruWeights
}

export type GruWeights = CellWeights<PerGate<Tensor>>

/** One array for each gate of an LSTM: input `i`, forget `f`, candidate `g`, output `o`. */
export interface PerLstmGate<T> {
  readonly i: T
  readonly f: T
  readonly g: T
  readonly o: T
}

/** The gates of an LSTM that can see the cell. */
export type LstmPeephole<T> = Omit<PerLstmGate<T>, 'g'>

/**
 * A long short-term memory layer. Its state is h and the cell c: further ports `initialCell` in,
 * `cell` out, both [rows, units].
 *
 *     i  = σ(Wi·x + Ui·h + bii + bri + pi ⊙ c)
 *     f  = σ(Wf·x + Uf·h + bif + brf + pf ⊙ c)     or 1 − i where the gates are coupled
 *     g  = φ(Wg·x + Ug·h + big + brg)
 *     c' = f ⊙ c + i ⊙ g
 *     o  = σ(Wo·x + Uo·h + bio + bro + po ⊙ c')
 *     h' = o ⊙ ψ(c')
 */
export interface LstmNode extends RecurrentBase {
  readonly kind: 'lstm'
  /** σ, of the gates. */
  readonly recurrentActivation: ElementwiseActivation
  /** φ, of the candidate. */
  readonly activation: ElementwiseActivation
  /** ψ, of the cell on its way out. Keras and PyTorch use φ. */
  readonly outputActivation: ElementwiseActivation
  /** f = 1 − i (ONNX's input_forget); the forget gate's own weights are then not used. */
  readonly coupled: boolean
  readonly weights: CellWeights<PerLstmGate<Tensor>> & {
    /** p, each [units] (ONNX); null for none. */
    readonly peephole: LstmPeephole<Tensor> | null
  }
}

/** h' = φ(W·x + U·h + bi + br) */
export interface RnnNode extends RecurrentBase {
  readonly kind: 'rnn'
  readonly activation: ElementwiseActivation
  readonly weights: CellWeights<Tensor>
}

export type RecurrentNode = GruNode | LstmNode | RnnNode
