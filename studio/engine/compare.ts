/** Compares two models on the same input. */

import {
  compileSync,
  GruvError,
  isGruvError,
  type Model,
  type Named,
  type Tensor,
} from '../../src/index.ts'
import { compareModels, type ModelComparison } from '../../src/trace/index.ts'
import type { Comparison, Difference } from './protocol.ts'
import { firstSteps } from './traces.ts'

/** Equivalent computations in float64 differ by less than this, relative to the largest output. */
const ROUNDING = 1e-9

/** Gates are compared by the slow reference; more steps would take too long. */
const MOST_STEPS = 2000

/**
 * Compares outputs over the whole input, and gates over its beginning.
 * @param order which of the two the sentences call the first.
 */
export function compareOn(
  model: Model,
  other: Model,
  input: Named<Tensor>,
  order: 'model-first' | 'other-first',
): Comparison {
  const outputs = differences(model, other, input)
  const [first, second] = order === 'model-first' ? [model, other] : [other, model]
  const gates = compareGates(first, second, input)
  return { outputs, first: gates?.difference ?? null, words: gates?.words ?? [] }
}

/** null where the layers of the two models do not match. */
export function compareGates(
  first: Model,
  second: Model,
  input: Named<Tensor>,
): ModelComparison | null {
  try {
    return compareModels(first, second, firstSteps(first, input, MOST_STEPS))
  } catch (error) {
    if (isGruvError(error)) return null
    throw error
  }
}

/** @throws GruvError when the other model cannot read this input, or has no output in common. */
function differences(model: Model, other: Model, input: Named<Tensor>): readonly Difference[] {
  const a = compileSync(model, { precision: 'f64' })
  const b = compileSync(other, { precision: 'f64' })
  const renamed = Object.fromEntries(
    b.inputs.map(({ name }, i) => [
      name,
      input[Object.hasOwn(input, name) ? name : (model.inputs[i]?.name ?? '')],
    ]),
  )
  const [ours, theirs] = [a.predict(input), b.predict(renamed)]
  const found = a.outputs.flatMap((port, i) => {
    const name = port.name
    const same = theirs[Object.hasOwn(theirs, name) ? name : (b.outputs[i]?.name ?? '')]
    if (same === undefined) return []
    const overTime = port.shape.includes('time')
    return [compare(name, ours[name], same, overTime)]
  })
  if (found.length > 0) return found
  throw new GruvError('bad-argument', 'the two models have no output in common')
}

function compare(output: string, a: Tensor, b: Tensor, overTime: boolean): Difference {
  if (a.data.length !== b.data.length) {
    throw new GruvError('bad-shape', 'the outputs of the two models have different shapes', {
      where: `output ${output}`,
      expected: `[${a.shape.join(', ')}]`,
      got: `[${b.shape.join(', ')}]`,
    })
  }
  const units = a.shape.at(-1)!
  const steps = overTime ? a.shape.at(-2)! : 1
  const errors = new Float64Array(steps)
  let scale = 0
  for (const value of a.data) scale = Math.max(scale, Math.abs(value))
  const bound = ROUNDING * Math.max(scale, 1e-30)
  let first: Difference['first'] = null
  for (let i = 0; i < a.data.length; i++) {
    const t = Math.floor(i / units) % steps
    const error = Math.abs(a.data[i] - b.data[i])
    if (!(error <= errors[t])) errors[t] = error
    if (error > bound && (first === null || (first.t ?? 0) > t))
      first = { t: overTime ? t : null, unit: i % units, a: a.data[i], b: b.data[i] }
  }
  const maxAbsolute = errors.reduce((most, error) => Math.max(most, error), 0)
  return {
    output,
    compared: a.data.length,
    maxAbsolute,
    first,
    overTime: errors,
    same: first === null,
  }
}
