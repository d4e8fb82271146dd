/** Parses `--as`, which is another reading of a model to compare with. */

import { GruvError } from '../index.ts'
import { conventionTable } from '../model/index.ts'
import type { ConventionFlags } from './options.ts'

const readings = {
  'gate-order': 'gateOrder',
  reset: 'reset',
  update: 'update',
  bias: 'bias',
  activation: 'activation',
  'recurrent-activation': 'recurrentActivation',
} as const

/** Turns `reset=before,update=updates` into the flags of the same names. */
export function parseReading(text: string): ConventionFlags {
  const entries = text.split(',').map((part) => {
    const [key, ...rest] = part.split('=')
    const value = rest.join('=')
    const name = Object.hasOwn(readings, key) ? readings[key as keyof typeof readings] : undefined
    if (name === undefined || value === '') {
      throw new GruvError('bad-argument', `'${part}' is no convention`, {
        where: '--as',
        expected: Object.keys(readings)
          .map((each) => `${each}=…`)
          .join(','),
      })
    }
    const known: Readonly<Record<string, string>> =
      name === 'gateOrder' ? {} : conventionTable[name].values
    if (Object.keys(known).length > 0 && !Object.hasOwn(known, value)) {
      throw new GruvError('bad-argument', `${key} cannot be '${value}'`, {
        where: '--as',
        expected: `one of ${Object.keys(known).join(', ')}`,
      })
    }
    return [name, value] as const
  })
  return Object.fromEntries(entries)
}
