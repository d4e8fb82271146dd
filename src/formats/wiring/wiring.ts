/**
 * Describes how the modules of a state dict follow each other, which the file itself does not say.
 * A wiring is plain data; `compose.ts` makes it from TypeScript or a JSON file.
 */

import { GruvError } from '../../errors.ts'
import { activation } from '../../model/activation/activations.ts'

/** How the parameters of a module are to be read where their shapes leave it open. */
export type ModuleKind = 'recurrent' | 'linear' | 'embedding' | 'batchNorm' | 'layerNorm'

export type Taking =
  /** Of a sequence, its last timestep, as `y[:, -1]`: [batch, features]. */
  | 'last'
  /**
   * Of a recurrent module, its final states, both directions side by side, as `h_n` of its last
   * layer.
   */
  | 'final'
  /** Of a sequence, the mean or the largest over time: [batch, features]. */
  | 'mean'
  | 'max'

export interface ModuleStep {
  /** The name of a module in the file: `gru`, `encoder.fc1`. */
  readonly module: string
  readonly as?: ModuleKind
  /** After the module; of an nn.RNN its nonlinearity. */
  readonly activation?: string
  /** Of a normalisation; default 1e-5, as PyTorch's. */
  readonly epsilon?: number
}

export interface ActivationStep {
  /** `relu`, `leaky_relu(alpha=0.1)`, `softmax`, `log_softmax`. */
  readonly activation: string
}

export interface TakeStep {
  readonly take: Taking
}

/** Strings are names of modules, of activations, or `last`, `final`, `mean`, `max`. */
export type WiringStep = string | ModuleStep | ActivationStep | TakeStep

export interface Wiring {
  readonly steps: readonly WiringStep[]
}

export const takings = ['last', 'final', 'mean', 'max'] as const satisfies readonly Taking[]

/**
 * A step in its full form.
 * @param modules the names of the modules in the file.
 * @throws GruvError `not-found` for a string that names nothing, `bad-argument` for one that names
 *   both a module and something else.
 */
export function fullStep(
  step: WiringStep,
  modules: readonly string[],
  where: string,
): ModuleStep | ActivationStep | TakeStep {
  if (typeof step !== 'string') return step
  const taking = takings.find((each) => each === step)
  const other = taking !== undefined || isActivation(step)
  if (modules.includes(step)) {
    if (!other) return { module: step }
    throw new GruvError(
      'bad-argument',
      `'${step}' is a module of this file and a word of wirings`,
      {
        where,
        fix: `Say { "module": "${step}" } or { "${taking === undefined ? 'activation' : 'take'}": "${step}" }.`,
      },
    )
  }
  if (taking !== undefined) return { take: taking }
  if (other) return { activation: step }
  throw new GruvError('not-found', `'${step}' is neither a module of this file nor an activation`, {
    where,
    expected: `one of ${modules.slice(0, MOST_NAMES).join(', ')}${modules.length > MOST_NAMES ? ', …' : ''}; ${takings.join(', ')}; or an activation`,
  })
}

/** Shown in a message. */
const MOST_NAMES = 24

export const LOG_SOFTMAX = 'log_softmax'

function isActivation(name: string): boolean {
  if (name === LOG_SOFTMAX) return true
  try {
    activation(name)
    return true
  } catch {
    return false
  }
}
