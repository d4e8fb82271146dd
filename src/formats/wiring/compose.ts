/** Makes wirings from TypeScript and from JSON, checked as far as possible without the file. */

import { GruvError } from '../../errors.ts'
import { array, type JsonObject, object, oneOf, parseObject, text } from '../decode.ts'
import { type ModuleKind, takings, type Wiring, type WiringStep } from './wiring.ts'

const moduleKinds = [
  'recurrent',
  'linear',
  'embedding',
  'batchNorm',
  'layerNorm',
] as const satisfies readonly ModuleKind[]

/**
 * A wiring from its steps, checked as far as possible without the file.
 *
 *     await load('fall.pth', { wiring: compose(['gru', 'last', 'fc1', 'relu', 'fc2']) })
 *
 * @throws GruvError `bad-file` naming the step that is wrong.
 */
export function compose(steps: readonly WiringStep[]): Wiring {
  return wiringFrom({ steps }, 'compose')
}

/** @throws GruvError `bad-file` for a text that is no wiring. */
export function parseWiring(json: string, where: string): Wiring {
  // A list alone is taken as the steps.
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

/** Otherwise a misspelt key would silently do nothing. */
function knownKeys(value: JsonObject, known: readonly string[], where: string): void {
  for (const key of Object.keys(value)) {
    if (known.includes(key)) continue
    throw new GruvError('bad-file', `there is no '${key}' here`, {
      where,
      expected: known.join(', '),
    })
  }
}
