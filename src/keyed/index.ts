/**
 * `gruv/keyed`: a state for each device, user or instrument, kept by the caller.
 *
 *     const meters = keyed(program)
 *     const { state, outputs } = meters.apply(stored ?? null, measured)
 *
 * Nothing is kept between calls: what a call gives depends on its arguments alone, so that a key can
 * move between machines, and a call that was lost can be made again.
 */

import { GruvError } from '../errors.ts'
import type { Program } from '../runtime/program.ts'
import { readInputs } from '../runtime/run/inputs.ts'
import { COUNT_BYTES, FINGERPRINT_AT, STEPS_AT } from '../runtime/run/record.ts'
import type { State } from '../runtime/run/stream.ts'
import type { Named, Tensor, TensorLike } from '../tensor.ts'

export interface Keyed {
  /** Bytes of a state. */
  readonly stateBytes: number
  /**
   * Goes on with a sequence by some steps.
   * @param state what the last call gave; null where the sequence begins. It is not changed.
   * @param inputs [steps, width], or [width] for one step; by name for a model with several inputs.
   * @returns the state after the last step, as a record of docs/state.md, and each output, [steps,
   *   width] or [width].
   * @throws GruvError `bad-argument` for a state of another model, `bad-shape` for inputs that do
   *   not fit.
   */
  apply(
    state: Uint8Array | null,
    inputs: TensorLike | Named<TensorLike>,
  ): { readonly state: Uint8Array; readonly outputs: Named<Tensor> }
}

export interface KeyedOptions {
  /**
   * Whether the program must give the same bits on every machine (default): otherwise a key that
   * moves goes on with other numbers, and what was done twice cannot be told from what was not.
   */
  readonly deterministic?: boolean
}

/**
 * Sequences by key on one program. A call needs a free stream of the program while it lasts.
 * @throws GruvError `not-causal` for models that do not run step by step; `bad-argument` for a
 *   program that is not deterministic, unless that is allowed.
 */
export function keyed(program: Program, { deterministic = true }: KeyedOptions = {}): Keyed {
  if (deterministic && !program.engine.deterministic) {
    throw new GruvError('bad-argument', 'this program gives other bits on other machines', {
      fix: 'Compile with `{ deterministic: true }`, or say `keyed(program, { deterministic: false })` if no key moves.',
    })
  }
  program.stream().close()
  const Numbers = program.plan.precision === 'f32' ? Float32Array : Float64Array
  return {
    stateBytes: program.stateBytes,
    apply(state, inputs) {
      const { batch, missing, steps, tensors } = readInputs(program.inputs, inputs)
      if (batch !== 1) {
        throw new GruvError('bad-shape', 'a key has one sequence', {
          where: 'inputs',
          expected: '[steps, width]',
          got: `a batch of ${batch}`,
        })
      }
      const stream = program.stream()
      try {
        if (state !== null) stream.loadFrom(state)
        const outputs = Object.entries(stream.outputs).map(([name, { length }]) => {
          const shape = missing.has('time') ? [length] : [steps, length]
          return [name, { shape, data: new Numbers(steps * length) }] as const
        })
        for (let t = 0; t < steps; t++) {
          for (const [name, { data }] of tensors) {
            const input = stream.inputs[name]
            // What has no steps, such as the state to begin with, is the same at all of them.
            const from = data.length === input.length ? 0 : t * input.length
            input.set(data.subarray(from, from + input.length))
          }
          stream.step()
          for (const [name, { data }] of outputs)
            data.set(stream.outputs[name], t * stream.outputs[name].length)
        }
        const after = new Uint8Array(program.stateBytes)
        stream.saveTo(after)
        return { state: after, outputs: Object.fromEntries(outputs) }
      } finally {
        stream.close()
      }
    },
  }
}

/**
 * Takes states of a model along to its next version.
 * @param convert the state of `to` that follows from one of `from`, by name; what it leaves out is
 *   zero. Without it, states of `from` are refused, since nothing says that they mean the same.
 * @returns a function that gives a state of `to` back as it is, and a state of `from` converted,
 *   with its count of steps.
 */
export function migrate(
  from: Program,
  to: Program,
  convert?: (state: State) => Named<ArrayLike<number>>,
): (state: Uint8Array) => Uint8Array {
  return (state) => {
    const target = to.stream()
    try {
      const migrated = new Uint8Array(to.stateBytes)
      target.saveTo(migrated)
      if (convert === undefined || haveOneModel(state, migrated)) {
        target.loadFrom(state)
        return state.slice()
      }
      const source = from.stream()
      try {
        source.loadFrom(state)
        target.setState(convert(source.getState()))
      } finally {
        source.close()
      }
      target.saveTo(migrated)
      migrated.set(state.subarray(STEPS_AT, STEPS_AT + COUNT_BYTES), STEPS_AT)
      return migrated
    } finally {
      target.close()
    }
  }
}

function haveOneModel(a: Uint8Array, b: Uint8Array): boolean {
  return b.subarray(FINGERPRINT_AT, STEPS_AT).every((byte, i) => byte === a[FINGERPRINT_AT + i])
}
