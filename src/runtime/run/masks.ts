/**
 * Reads which steps of a sequence count, from masks and lengths.
 *
 * A *mask* (Keras) marks steps that a layer skips: its state stays, its output repeats the
 * one before, or is zeros. Before the first step that counts there is no output to repeat: zeros,
 * and not the initial state (Keras's `rnn`, backend/tensorflow/rnn.py: `prev_output` starts as
 * zeros). *Lengths* (ONNX, PyTorch) end a sequence early: nothing comes after it but zeros, and the
 * last output is that of the last step there is.
 */

import { GruvError } from '../../errors.ts'
import type { MaskedOutput } from '../../model/types.ts'
import { type TensorLike, toTensor, unfit } from '../../tensor.ts'

/** What happens at a step; the numbers are read by kernels. */
export const STEP = {
  /** Skipped, and nothing came before it. */
  empty: 0,
  /** Computed. */
  valid: 1,
  /** Skipped, after a step that counts. */
  repeat: 2,
} as const

export interface Masks {
  /** For each [row, timestep]: 0 where it does not count. */
  readonly counts: Float32Array | Float64Array
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
  const missing = lengths !== undefined
  if (mask === undefined && !missing) return null
  const counts = missing ? readLengths(lengths, batch, steps) : readMask(mask!, batch, steps)
  return { counts, missing }
}

/**
 * Whether a skipped step gives out the state. After the first step that counts, the
 * output before a masked step is the state.
 */
export function repeatsState(code: number, maskedOutput: MaskedOutput, missing: boolean): boolean {
  if (missing) return false
  return maskedOutput === 'state' || (maskedOutput === 'repeat' && code === STEP.repeat)
}

type Counts = Masks['counts']

function readMask(mask: NonNullable<MaskOptions['mask']>, batch: number, steps: number): Counts {
  const { shape, data } = toTensor(
    (Array.isArray(mask) ? toNumbers(mask) : mask) as TensorLike,
    'mask',
  )
  const expected = batch === 1 && shape.length === 1 ? [steps] : [batch, steps]
  if (`${shape}` !== `${expected}`)
    throw unfit('the mask does not fit the input', 'mask', [expected], shape)
  // The caller may change the mask before a cooperative run is done.
  return data.slice()
}

function toNumbers(value: unknown): unknown {
  return Array.isArray(value) ? value.map(toNumbers) : Number(value)
}

function readLengths(lengths: readonly number[] | number, batch: number, steps: number): Counts {
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
  const counts = new Float32Array(batch * steps)
  each.forEach((length, row) => {
    counts.fill(1, row * steps, row * steps + length)
  })
  return counts
}

/** A `STEP` for each [row, timestep], of a layer that goes through all of them in one direction. */
export function codesOf({ counts, missing }: Masks, steps: number, backward: boolean): Uint8Array {
  const codes = new Uint8Array(counts.length)
  let before: number = STEP.empty
  for (let i = 0; i < codes.length; i++) {
    const at = backward ? codes.length - 1 - i : i
    if (i % steps === 0 || missing) before = STEP.empty
    before = counts[at] !== 0 ? STEP.valid : before === STEP.empty ? STEP.empty : STEP.repeat
    codes[at] = before
  }
  return codes
}
