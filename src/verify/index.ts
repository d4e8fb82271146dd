/**
 * `gruv/verify`: compares a model's outputs with the expected ones.
 *
 *     const verdict = verify(model, { input, expected })
 *     verdict.pass                      // true
 *     verdict.outputs.y.maxAbsolute     // 2.4e-7
 */

import { GruvError } from '../errors.ts'
import type { LimitOptions } from '../limits.ts'
import { statesOf } from '../model/layers.ts'
import type { Model } from '../model/types.ts'
import { compileSync } from '../runtime/compile-sync.ts'
import type { Program, RunOptions } from '../runtime/program.ts'
import { readInputs } from '../runtime/run/inputs.ts'
import { readStates } from '../runtime/run/states.ts'
import type { Named, Tensor, TensorLike, WithNames } from '../tensor.ts'
import { type Comparison, compare } from './compare.ts'
import { expectedByName } from './expected.ts'
import { type Axes, axesOf } from './layout.ts'
import { whereItBegins } from './not-finite.ts'
import { openExtents } from './open-extents.ts'
import {
  deriveTolerance,
  givenTolerance,
  hasApproximated,
  roundingError,
  type Tolerance,
} from './tolerance.ts'

export type { Comparison, Difference, Place } from './compare.ts'
export type { Tolerance } from './tolerance.ts'

export interface VerifyOptions extends Pick<RunOptions, 'mask' | 'lengths'> {
  /** One tensor for a model with one input, else tensors by name. */
  readonly input: TensorLike | Named<TensorLike>
  /** One tensor for the first output, or tensors by output or final state name. */
  readonly expected: TensorLike | Named<TensorLike>
  readonly initialState?: TensorLike | Named<TensorLike>
  /** Default `f32`. */
  readonly precision?: 'f32' | 'f64'
  /** When given, the tolerance is `atol + rtol·|expected|`; the other one is then 0. */
  readonly atol?: number
  readonly rtol?: number
  /** Wraps each program before it runs, for instance to apply quirks. */
  readonly wrap?: (program: Program) => Program
  /** What the runs may cost, as `compile` takes it. */
  readonly limits?: LimitOptions
}

export interface OutputVerdict extends Comparison {
  readonly tolerance: Tolerance
}

export interface Verdict<Name extends string = 'y'> {
  readonly pass: boolean
  /** `nothing to compare` where no finite number was compared: NaN beside NaN proves nothing. */
  readonly verdict: 'agrees' | 'differs' | 'nothing to compare'
  /** Where NaN or an infinity begins, in words, when nothing could be compared. */
  readonly notFinite: string | null
  readonly outputs: WithNames<Name, OutputVerdict>
  /** The program that computed the actual numbers. */
  readonly program: Program
}

/**
 * Runs the model and compares. The default tolerance follows from the digits or dtype of the
 * expected data and from the rounding of the arithmetic, and is explained in words.
 * @throws GruvError when input or expected data do not fit the model.
 */
export function verify<Name extends string = 'y'>(
  model: Model,
  options: VerifyOptions,
): Verdict<Name> {
  const { precision = 'f32', input, atol, rtol, wrap = (program) => program } = options
  const limited = options.limits && { limits: options.limits }
  for (const [name, value] of [
    ['atol', atol],
    ['rtol', rtol],
  ] as const) {
    if (value === undefined || value >= 0) continue
    throw new GruvError('bad-argument', `${name} cannot be ${value}`, {
      expected: 'a number from 0',
    })
  }
  const program = wrap(compileSync(model, { precision, ...limited }))
  const expected = expectedByName(model, options.expected)
  const runOptions = {
    outputs: Object.keys(expected),
    ...(options.initialState !== undefined && { initialState: options.initialState }),
    ...(options.mask !== undefined && { mask: options.mask }),
    ...(options.lengths !== undefined && { lengths: options.lengths }),
  }
  const actual = program.predict(input, runOptions)
  const given = atol !== undefined || rtol !== undefined
  const other = given
    ? null
    : wrap(
        compileSync(model, { precision: precision === 'f32' ? 'f64' : 'f32', ...limited }),
      ).predict(input, runOptions)

  const ports = new Map(openExtents(model).outputs.map((port) => [port.name, port]))
  const outputs = new Map<string, OutputVerdict>()
  const results = new Map<string, { readonly tensor: Tensor; readonly axes: Axes }>()
  for (const [name, tensor] of Object.entries(expected)) {
    const tolerance =
      other === null
        ? givenTolerance(atol ?? 0, rtol ?? 0, tensor)
        : deriveTolerance({
            expected: tensor,
            precision,
            float32Error: roundingError(actual[name], other[name]),
            approximated: hasApproximated(model),
          })
    const axes = axesOf(ports.get(name), actual[name])
    results.set(name, { tensor: actual[name], axes })
    outputs.set(name, {
      ...compare(actual[name], axes, tensor, tolerance, precision === 'f32'),
      tolerance,
    })
  }
  const all = [...outputs.values()]
  const nothing = all.every(({ finite }) => finite === 0)
  const differs = all.some(({ outside }) => outside > 0)
  return {
    // An output without any finite number agrees with nothing, and beside others differs from none.
    pass: !nothing && !differs,
    verdict: nothing ? 'nothing to compare' : differs ? 'differs' : 'agrees',
    notFinite: nothing ? beginning(model, options, Object.fromEntries(results)) : null,
    outputs: Object.fromEntries(outputs) as WithNames<Name, OutputVerdict>,
    program,
  }
}

function beginning(
  model: Model,
  { input, initialState }: VerifyOptions,
  outputs: Parameters<typeof whereItBegins>[1]['outputs'],
): string | null {
  const inputs = readInputs(model.inputs, input)
  const states = readStates(model.nodes.flatMap(statesOf), initialState, () => inputs.batch)
  return whereItBegins(model, {
    inputs: Object.fromEntries(inputs.tensors),
    initialState: Object.fromEntries(states),
    outputs,
  })
}
