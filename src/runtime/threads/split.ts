/** Splits a batch into parts of some rows, where the plan lets rows apart, and joins the results. */

import type { Dim } from '../../model/types.ts'
import type { Named, Tensor } from '../../tensor.ts'
import type { Plan } from '../plan/types.ts'
import type { Masks } from '../run/masks.ts'
import type { Outputs, RunOptions, RunRequest } from '../run/predict.ts'
import type { Part } from './messages.ts'

/** Why the rows of this plan have to stay together; null if they do not. */
export function whyTogether({ inputs, outputs, shapes, stages, states }: Plan): string | null {
  const whole = stages.find(({ sweep }) => sweep === 'whole')
  if (whole !== undefined) return `layer ${whole.kernels[0].node} works on whole tensors`
  const apart =
    stages.every(({ rows }) => rows === 'batch') && states.every(({ rows }) => rows === 'batch')
  if (!apart) return 'a layer runs over something else than the rows of a batch'
  const values = [...inputs.map(({ name }) => name), ...outputs.map(({ value }) => value)]
  const odd = values.find((value) => !isRows(shapes[value]))
  return odd === undefined ? null : `${odd} does not have the batch as its first axis`
}

function isRows([first, ...rest]: readonly Dim[]): boolean {
  return first === 'batch' && !rest.some((dim) => typeof dim === 'string' && /\bbatch\b/.test(dim))
}

/** At most `count` parts of about as many rows, in their order. */
export function cut(
  { inputs: { tensors, batch, steps }, masks, initial, wanted }: RunRequest,
  count: number,
): readonly Part[] {
  const outputs = wanted.map(({ name }) => name)
  const parts = Math.min(count, batch)
  return Array.from({ length: parts }, (_, i): Part => {
    const [from, to] = [i, i + 1].map((k) => Math.floor((k * batch) / parts))
    const initialState = mapValues(initial, (state) =>
      state.shape.length === 1 ? state : rowsOf(state, from, to),
    )
    return {
      inputs: mapValues(tensors, (tensor) => rowsOf(tensor, from, to)),
      options: {
        outputs,
        ...(initial.size > 0 && { initialState }),
        ...(masks !== null && maskOf(masks, steps, from, to)),
      },
    }
  })
}

/** What `resultsOf` gives, of the results of all parts. */
export function join<Name extends string>(
  { inputs, wanted }: RunRequest,
  parts: readonly Named<Tensor>[],
): Outputs<Name> {
  const joined: Named<Tensor> = Object.fromEntries(
    wanted.map((port) => [
      port.name,
      inputs.deliver(port, stacked(parts.map((part) => part[port.name]))),
    ]),
  )
  return joined as Outputs<Name>
}

/** A copy, since it goes to another thread. */
function rowsOf({ shape: [rows, ...rest], data }: Tensor, from: number, to: number): Tensor {
  const size = data.length / rows
  return { shape: [to - from, ...rest], data: data.slice(from * size, to * size) }
}

function stacked(parts: readonly Tensor[]): Tensor {
  const [, ...rest] = parts[0].shape
  const length = parts.reduce((sum, { data }) => sum + data.length, 0)
  const data =
    parts[0].data instanceof Float32Array ? new Float32Array(length) : new Float64Array(length)
  let [rows, at] = [0, 0]
  for (const part of parts) {
    data.set(part.data, at)
    at += part.data.length
    rows += part.shape[0]
  }
  return { shape: [rows, ...rest], data }
}

/** The same mask, or the same lengths, of some rows. */
function maskOf(masks: Masks, steps: number, from: number, to: number): RunOptions {
  const counts = masks.counts.slice(from * steps, to * steps)
  if (!masks.missing) return { mask: { shape: [to - from, steps], data: counts } }
  const lengths = Array.from({ length: to - from }, (_, row) => {
    const each = Array.from(counts.subarray(row * steps, (row + 1) * steps))
    return each.filter(Boolean).length
  })
  return { lengths }
}

function mapValues<A, B>(map: ReadonlyMap<string, A>, f: (value: A) => B): Named<B> {
  return Object.fromEntries([...map].map(([key, value]) => [key, f(value)]))
}
