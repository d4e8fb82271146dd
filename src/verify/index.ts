/**
 * `gruv/verify`: compares a model's outputs with the expected ones.
 *
 *     const verdict = verify(model, { input, expected })
 *     verdict.pass                      // true
 *     verdict.outputs.y.maxAbsolute     // 2.4e-7
 */

import { GruvError } from '../errors.ts'
import type { LimitOptions } from '../limits.ts'
import type { Model } from '../model/types.ts'
import { compileSync } from '../runtime/compile-sync.ts'
import type { Program, RunOptions } from '../runtime/program.ts'
import { isTensorLike } from '../runtime/run/named.ts'
import { type Named, type Tensor, type TensorLike, toTensor, type WithNames } from '../tensor.ts'
import { type Axes, type Comparison, compare } from './compare.ts'
import { deriveTolerance, givenTolerance, roundingError, type Tolerance } from './tolerance.ts'

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
  const expected = expectedByName(program, options.expected)
  const runOptions = {
    outputs: [...expected.keys()],
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

  const outputs: Record<string, OutputVerdict> = {}
  for (const [name, tensor] of expected) {
    const tolerance =
      other === null
        ? givenTolerance(atol ?? 0, rtol ?? 0, tensor)
        : deriveTolerance({
            expected: tensor,
            precision,
            float32Error: roundingError(actual[name], other[name]),
          })
    const axes = axesOf(program, name, actual[name])
    outputs[name] = {
      ...compare(actual[name], axes, tensor, tolerance, precision === 'f32'),
      tolerance,
    }
  }
  const pass = Object.values(outputs).every((output) => output.pass)
  return { pass, outputs: outputs as WithNames<Name, OutputVerdict>, program }
}

function expectedByName(
  program: Program,
  expected: TensorLike | Named<TensorLike>,
): ReadonlyMap<string, Tensor> {
  const named = isTensorLike(expected) ? { [program.outputs[0].name]: expected } : expected
  const known = [...program.outputs, ...program.states].map(({ name }) => name)
  for (const name of Object.keys(named)) {
    if (!known.includes(name)) {
      throw new GruvError('not-found', `there is no output '${name}'`, {
        where: 'expected',
        expected: `one of ${known.join(', ')}`,
      })
    }
  }
  return new Map(
    Object.entries(named).map(([name, like]) => [name, toTensor(like, `expected ${name}`)]),
  )
}

function axesOf(program: Program, name: string, { shape }: Tensor): Axes {
  const full = program.outputs.find((port) => port.name === name)?.shape ?? ['batch', 0]
  const batched = shape.length === full.length
  return { batched, overTime: full.includes('time') && shape.length >= (batched ? 3 : 2) }
}
