/**
 * Which steps of a sequence count.
 *
 * A *mask* (Keras) marks steps that a layer passes over: its state stays, its output repeats the
 * one before, or is zeros. Before the first step that counts there is no output to repeat: zeros,
 * and not the initial state (Keras's `rnn`, backend/tensorflow/rnn.py: `prev_output` starts as
 * zeros). *Lengths* (ONNX, PyTorch) end a sequence early: nothing comes after it but zeros, and the
 * last output is that of the last step there is.
 */

import { GruvError } from '../errors.ts'
import type { MaskedOutput } from '../model/masking.ts'
import { showShape, type TensorLike, toTensor } from '../tensor.ts'

/** What happens at a step; the numbers are read by kernels. */
export const STEP = {
  /** Passed over, and nothing came before it. */
  empty: 0,
  /** Computed. */
  valid: 1,
  /** Passed over, after a step that counts. */
  repeat: 2,
} as const

export interface Masks {
  /** By direction: a `STEP` for each [row, timestep]. */
  readonly forward: Uint8Array
  readonly backward: Uint8Array
  /** Whether steps are missing (lengths) rather than masked: `last` is then the last one there is. */
  readonly missing: boolean
}

export interface MaskOptions {
  /** [batch, timesteps], or [timesteps] without a batch axis: false or 0 where a step does not count. */
  readonly mask?: TensorLike | readonly boolean[] | readonly (readonly boolean[])[]
  /** For each row, how many steps there are. A single number without a batch axis. */
  readonly lengths?: readonly number[] | number
}

/** @throws GruvError `bad-shape` or `bad-argument` when they do not fit the inputs. */
export function readMasks(
  { mask, lengths }: MaskOptions,
  batch: number,
  steps: number,
): Masks | null {
  if (mask !== undefined && lengths !== undefined) {
    throw new GruvError('bad-argument', 'a sequence has a mask or a length, not both', {
      where: 'mask, lengths',
    })
  }
  if (mask !== undefined) return fromCounts(readMask(mask, batch, steps), batch, steps, false)
  if (lengths !== undefined)
    return fromCounts(readLengths(lengths, batch, steps), batch, steps, true)
  return null
}

/**
 * Whether a step that is passed over gives out the state. After the first step that counts, the
 * output before a masked step is the state.
 */
export function repeatsState(code: number, maskedOutput: MaskedOutput, missing: boolean): boolean {
  if (missing) return false
  return maskedOutput === 'state' || (maskedOutput === 'repeat' && code === STEP.repeat)
}

function readMask(
  mask: NonNullable<MaskOptions['mask']>,
  batch: number,
  steps: number,
): (row: number, t: number) => boolean {
  const numbers = Array.isArray(mask) ? (mask as readonly unknown[]).map(toNumbers) : mask
  const { shape, data } = toTensor(numbers as TensorLike, 'mask')
  const expected = batch === 1 && shape.length === 1 ? [steps] : [batch, steps]
  if (shape.length !== expected.length || shape.some((extent, axis) => extent !== expected[axis])) {
    throw new GruvError('bad-shape', 'the mask does not fit the input', {
      where: 'mask',
      expected: showShape(expected),
      got: showShape(shape),
    })
  }
  return (row, t) => data[row * steps + t] !== 0
}

function toNumbers(value: unknown): unknown {
  return Array.isArray(value) ? value.map(toNumbers) : Number(value)
}

function readLengths(
  lengths: readonly number[] | number,
  batch: number,
  steps: number,
): (row: number, t: number) => boolean {
  const each = typeof lengths === 'number' ? [lengths] : Array.from(lengths)
  if (
    each.length !== batch ||
    each.some((length) => !Number.isInteger(length) || length < 0 || length > steps)
  ) {
    throw new GruvError('bad-argument', 'the lengths do not fit the input', {
      where: 'lengths',
      expected: `${batch} whole numbers from 0 to ${steps}`,
      got: each.join(', '),
    })
  }
  return (row, t) => t < each[row]
}

function fromCounts(
  counts: (row: number, t: number) => boolean,
  batch: number,
  steps: number,
  missing: boolean,
): Masks {
  const masks = {
    forward: new Uint8Array(batch * steps),
    backward: new Uint8Array(batch * steps),
    missing,
  }
  for (let row = 0; row < batch; row++) {
    let [ahead, behind] = [false, false]
    for (let i = 0; i < steps; i++) {
      const [t, back] = [i, steps - 1 - i]
      ahead ||= counts(row, t)
      behind ||= counts(row, back)
      masks.forward[row * steps + t] = code(counts(row, t), ahead && !missing)
      masks.backward[row * steps + back] = code(counts(row, back), behind && !missing)
    }
  }
  return masks
}

function code(counts: boolean, repeats: boolean): number {
  if (counts) return STEP.valid
  return repeats ? STEP.repeat : STEP.empty
}
