/**
 * Computes with known values: numbers with a shape, repeated along axes without being copied.
 */

import { emptyNumbers } from '../../bytes/numbers/storage.ts'
import { repeatingStrides } from '../../bytes/numbers/strided.ts'
import { GruvError } from '../../errors.ts'
import { permuteAxes } from '../../model/axes.ts'
import { sliceRange } from '../../model/shapes/dims.ts'
import type { Dim } from '../../model/types.ts'
import { type DType, dtypeOf, showShape, sizeOf, type Tensor } from '../../tensor.ts'
import type { Known, Shape } from './values.ts'

/**
 * Called before numbers are made.
 * @throws GruvError `too-large` once a file has made far more than it holds.
 */
export type Spend = (elements: number) => void

/** The one number that a value consists of, or repeats; null for others. */
export function uniform({ tensor: { data } }: Known): number | null {
  const [first] = data
  return data.length > 0 && data.every((value) => Object.is(value, first)) ? first : null
}

/**
 * All numbers, repetitions included. @throws GruvError `unsupported` where an extent is a symbol.
 */
export function materialize(value: Known, spend: Spend): Tensor {
  const { shape, tensor } = value
  if (shape.every((extent, axis) => extent === tensor.shape[axis])) return tensor
  const full = shape.map((extent) => {
    if (typeof extent === 'number') return extent
    throw new GruvError(
      'unsupported',
      'the numbers of this value depend on the size of the input',
      {
        got: showShape(shape),
      },
    )
  })
  return broadcastTo(tensor, full, spend)
}

/**
 * The numbers with one axis in full, others still repeating; null where its extent is a symbol.
 */
export function materializeAxis(
  { shape, tensor }: Known,
  axis: number,
  spend: Spend,
): Tensor | null {
  const extent = shape.at(axis)
  if (typeof extent !== 'number') return null
  return broadcastTo(tensor, tensor.shape.with(axis, extent), spend)
}

function broadcastTo(tensor: Tensor, shape: readonly number[], spend: Spend): Tensor {
  if (shape.every((extent, axis) => extent === tensor.shape[axis])) return tensor
  return combine([tensor], (a) => a, { shape, dtype: dtypeOf(tensor) }, spend)
}

/** Not a call with all of them as arguments: a file may have more than a call can take. */
export function mostAxes(shapes: readonly { readonly length: number }[]): number {
  return shapes.reduce((most, { length }) => Math.max(most, length), 0)
}

/** NumPy's broadcast of shapes with symbols; null where they do not go together. */
export function broadcastShapes(shapes: readonly Shape[]): Shape | null {
  const rank = mostAxes(shapes)
  const result: Dim[] = []
  for (let axis = 0; axis < rank; axis++) {
    const extents = shapes.map((shape) => shape[axis - rank + shape.length] ?? 1)
    const wide = extents.filter((extent) => extent !== 1)
    if (wide.some((extent) => extent !== wide[0])) return null
    result.push(wide[0] ?? 1)
  }
  return result
}

/** A value with axes of extent 1 before its own, up to a rank. */
export function withRank(value: Known, rank: number): Known {
  const ones = Array.from({ length: rank - value.shape.length }, () => 1)
  return {
    ...value,
    shape: [...ones, ...value.shape],
    tensor: { ...value.tensor, shape: [...ones, ...value.tensor.shape] },
  }
}

/** f of each tuple of elements, with broadcasting. */
export function mapKnown(
  values: readonly Known[],
  f: (...elements: number[]) => number,
  dtype: DType,
  spend: Spend,
): Known | null {
  const rank = mostAxes(values.map(({ shape }) => shape))
  const aligned = values.map((value) => withRank(value, rank))
  const shape = broadcastShapes(aligned.map((value) => value.shape))
  const stored = broadcastShapes(aligned.map(({ tensor }) => tensor.shape))
  if (shape === null || stored === null) return null
  const tensors = aligned.map(({ tensor }) => tensor)
  return {
    kind: 'known',
    shape,
    tensor: combine(tensors, f, { shape: stored as readonly number[], dtype }, spend),
  }
}

function combine(
  tensors: readonly Tensor[],
  f: (...elements: number[]) => number,
  { shape, dtype }: { readonly shape: readonly number[]; readonly dtype: DType },
  spend: Spend,
): Tensor {
  const size = sizeOf(shape)
  spend(size)
  const data = emptyNumbers(dtype, size)
  const strides = tensors.map((tensor) => repeatingStrides(tensor.shape, shape))
  const index = new Array<number>(shape.length).fill(0)
  const at = tensors.map(() => 0)
  const elements = new Array<number>(tensors.length)
  for (let i = 0; i < size; i++) {
    for (let t = 0; t < tensors.length; t++) elements[t] = tensors[t].data[at[t]]
    data[i] = f(...elements)
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const wraps = ++index[axis] === shape[axis]
      const steps = wraps ? 1 - shape[axis] : 1
      for (let t = 0; t < tensors.length; t++) at[t] += steps * strides[t][axis]
      if (!wraps) break
      index[axis] = 0
    }
  }
  return { shape, data, dtype }
}

export function permuteKnown(
  { shape, tensor }: Known,
  order: readonly number[],
  spend: Spend,
): Known {
  spend(tensor.data.length)
  return {
    kind: 'known',
    shape: order.map((axis) => shape[axis]),
    tensor: permuteAxes(tensor, order),
  }
}

/** Part of an axis, as Python's `start:end:step`. */
export function sliceKnown(
  value: Known,
  axis: number,
  slice: { readonly start: number | null; readonly end: number | null; readonly step: number },
  spend: Spend,
): Known | null {
  const extent = value.shape[axis]
  if (typeof extent !== 'number') return null
  const { first, count } = sliceRange(extent, slice)
  const shape = value.shape.with(axis, count)
  if (value.tensor.shape[axis] === 1 && extent !== 1 && count > 0) return { ...value, shape }
  const positions = Array.from({ length: count }, (_, i) => first + i * slice.step)
  return { kind: 'known', shape, tensor: takeAlong(value.tensor, axis, positions, spend) }
}

/** Rows of a tensor along an axis. */
export function takeAlong(
  tensor: Tensor,
  axis: number,
  positions: readonly number[],
  spend: Spend,
): Tensor {
  const outer = sizeOf(tensor.shape.slice(0, axis))
  const inner = sizeOf(tensor.shape.slice(axis + 1))
  const extent = tensor.shape[axis]
  spend(outer * inner * positions.length)
  const data = emptyNumbers(dtypeOf(tensor), outer * inner * positions.length)
  let to = 0
  for (let o = 0; o < outer; o++) {
    for (const position of positions) {
      const from = (o * extent + position) * inner
      data.set(tensor.data.subarray(from, from + inner), to)
      to += inner
    }
  }
  return { shape: tensor.shape.with(axis, positions.length), data, dtype: dtypeOf(tensor) }
}

/** null where the values do not go together, or where the extent of one of them is a symbol. */
export function concatKnown(values: readonly Known[], axis: number, spend: Spend): Known | null {
  const [first] = values
  const rest = (shape: Shape): string => shape.toSpliced(axis, 1).join()
  if (axis >= first.shape.length) return null
  if (values.some(({ shape }) => rest(shape) !== rest(first.shape))) return null
  const solids = values.map((value) => materializeAxis(value, axis, spend))
  if (!solids.every((each) => each !== null)) return null
  const extent = solids.reduce((sum, { shape }) => sum + shape[axis], 0)
  // Axes along which all of them repeat still do.
  const stored = broadcastShapes(solids.map(({ shape }) => shape.with(axis, 1)))
  if (stored === null || !stored.every((each) => typeof each === 'number')) return null
  const tensors = solids.map((each) =>
    broadcastTo(each, stored.with(axis, each.shape[axis]), spend),
  )
  const shape = stored.with(axis, extent)
  spend(sizeOf(shape))
  const dtype = dtypeOf(tensors[0])
  const data = emptyNumbers(dtype, sizeOf(shape))
  const outer = sizeOf(shape.slice(0, axis))
  let to = 0
  for (let o = 0; o < outer; o++) {
    for (const { shape: own, data: source } of tensors) {
      const run = sizeOf(own.slice(axis))
      data.set(source.subarray(o * run, (o + 1) * run), to)
      to += run
    }
  }
  return { kind: 'known', shape: first.shape.with(axis, extent), tensor: { shape, data, dtype } }
}

/** The numbers of a value as whole numbers, where it has one axis or none; null for others. */
export function wholeNumbers({ shape, tensor }: Known): readonly number[] | null {
  if (shape.length > 1 || tensor.shape.some((extent, axis) => extent !== shape[axis])) return null
  return tensor.data.every((value) => Number.isInteger(value)) ? Array.from(tensor.data) : null
}
