/**
 * The wiring that a state dict lacks: which module follows which, and what lies between them.
 * Plain data, the same from TypeScript (`compose`) as from a JSON file.
 */

import { GruvError } from '../errors.ts'
import { activation } from '../model/activations.ts'
import { array, type JsonObject, object, oneOf, parseObject, text } from './decode.ts'

/** How the parameters of a module are to be read where their shapes leave it open. */
export type ModuleKind = 'recurrent' | 'linear' | 'embedding' | 'batchNorm' | 'layerNorm'

export type Taking =
  /** Of a sequence, its last timestep, as `y[:, -1]`: [batch, features]. */
  | 'last'
  /** Of a recurrent module, its final states, both directions side by side, as `h_n` of its last layer. */
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

/** Texts are names of modules, of activations, or `last`, `final`, `mean`, `max`. */
export type WiringStep = string | ModuleStep | ActivationStep | TakeStep

export interface Wiring {
  readonly steps: readonly WiringStep[]
}

const takings = ['last', 'final', 'mean', 'max'] as const satisfies readonly Taking[]

const moduleKinds = [
  'recurrent',
  'linear',
  'embedding',
  'batchNorm',
  'layerNorm',
] as const satisfies readonly ModuleKind[]

/**
 * A wiring from its steps, checked as far as that goes without the file.
 *
 *     await load('fall.pth', { wiring: compose(['gru', 'last', 'fc1', 'relu', 'fc2']) })
 *
 * @throws GruvError `bad-file` naming the step that is none.
 */
export function compose(steps: readonly WiringStep[]): Wiring {
  return wiringFrom({ steps }, 'compose')
}

/** @throws GruvError `bad-file` for a text that is no wiring. */
export function parseWiring(json: string, where: string): Wiring {
  // A list alone is meant as the steps.
  const whole = json.trimStart().startsWith('[') ? `{"steps":${json}}` : json
  return wiringFrom(parseObject(whole, where), where)
}

function wiringFrom(value: JsonObject, where: string): Wiring {
  knownKeys(value, ['steps'], where)
  const steps = array(value.steps, `${where}: steps`).map((step, i) =>
    stepFrom(step, `${where}: steps[${i}]`),
  )
  if (steps.length === 0) throw new GruvError('bad-file', 'a wiring needs steps', { where })
  return Object.freeze({ steps: Object.freeze(steps) })
}

function stepFrom(value: unknown, where: string): WiringStep {
  if (typeof value === 'string') return value
  const step = object(value, where)
  if ('module' in step) {
    knownKeys(step, ['module', 'as', 'activation', 'epsilon'], where)
    return {
      module: text(step.module, `${where}.module`),
      ...(step.as !== undefined && { as: oneOf(step.as, moduleKinds, `${where}.as`) }),
      ...(step.activation !== undefined && {
        activation: text(step.activation, `${where}.activation`),
      }),
      ...(step.epsilon !== undefined && { epsilon: epsilon(step.epsilon, `${where}.epsilon`) }),
    }
  }
  if ('take' in step) {
    knownKeys(step, ['take'], where)
    return { take: oneOf(step.take, takings, `${where}.take`) }
  }
  knownKeys(step, ['activation'], where)
  return { activation: text(step.activation, `${where}.activation`) }
}

function epsilon(value: unknown, where: string): number {
  if (typeof value === 'number' && value >= 0 && Number.isFinite(value)) return value
  throw new GruvError('bad-file', 'this is no epsilon', { where, expected: 'a number from 0' })
}

/** A misspelt key would otherwise do nothing, and nobody would know. */
function knownKeys(value: JsonObject, known: readonly string[], where: string): void {
  for (const key of Object.keys(value)) {
    if (known.includes(key)) continue
    throw new GruvError('bad-file', `there is no '${key}' here`, {
      where,
      expected: known.join(', '),
    })
  }
}

/**
 * A step in one of its full forms.
 * @param modules the names of the modules in the file.
 * @throws GruvError `not-found` for a text that names nothing, `bad-argument` for one that names
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

/** Enough to find one's own among them. */
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
