/** Options of `compile`, checked. */

import { GruvError } from '../errors.ts'
import type { PlanOptions } from './plan.ts'
import type { CompileOptions } from './program.ts'

/** @throws GruvError `bad-argument` for what is none of the options. */
export function planOptions({
  precision = 'f32',
  streams = 1,
  engine = 'auto',
}: CompileOptions): PlanOptions {
  oneOf('precision', precision, ['f32', 'f64'])
  oneOf('engine', engine, ['auto', 'wasm', 'js'])
  if (!Number.isInteger(streams) || streams < 1) {
    throw new GruvError('bad-argument', 'streams is a count', {
      expected: 'a whole number from 1',
      got: `${streams}`,
    })
  }
  return { precision, streams }
}

function oneOf(name: string, value: string, values: readonly string[]): void {
  if (values.includes(value)) return
  throw new GruvError('bad-argument', `${name} cannot be '${value}'`, {
    expected: `one of ${values.join(', ')}`,
  })
}
