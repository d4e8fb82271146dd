/**
 * The values of an ONNX graph as the importer knows them while it walks through the graph: an
 * abstract interpretation, in which trained numbers and shapes are computed and everything else
 * becomes nodes of the Model.
 */

import { GruvError } from '../../errors.ts'
import { product } from '../../model/shapes/dims.ts'
import type { Dim } from '../../model/types.ts'
import type { Tensor } from '../../tensor.ts'

export type Shape = readonly Dim[]

/** Numbers that do not depend on the inputs. */
export interface Known {
  readonly kind: 'known'
  readonly shape: Shape
  /** Of the same rank; where its extent is 1 and that of `shape` is not, the numbers repeat. */
  readonly tensor: Tensor
}

/** Whole numbers of which some are extents of the inputs: what `Shape` gives. */
export interface Extents {
  readonly kind: 'extents'
  readonly shape: readonly number[]
  readonly entries: readonly Dim[]
}

/**
 * A value of the Model, with other axes than ONNX sees: axis i of ONNX's value is what the axes
 * `view[i]` of the Model's value make together, row-major; of no axes, it has extent 1. The axes
 * that no view names have extent 1. So Transpose, Squeeze,
 * Unsqueeze and many Reshapes need no node.
 */
export interface Live {
  readonly kind: 'live'
  readonly value: string
  readonly view: readonly (readonly number[])[]
  /** Its type in ONNX, on which integer division and casts depend. */
  readonly type: 'float' | 'int' | 'bool'
}

/**
 * Values side by side along an axis, in which each has extent 1: directions, or parts of a value.
 */
export interface Stack {
  readonly kind: 'stack'
  readonly axis: number
  readonly parts: readonly Live[]
}

export type Value = Known | Extents | Live | Stack

/**
 * Longer expressions than any network has; without a limit a file of n nodes could write 2ⁿ terms.
 */
const LONGEST_EXTENT = 400

/** @throws GruvError `too-large` for extents that have become too long to print. */
export function checkedExtents<T extends readonly Dim[]>(where: string, extents: T): T {
  for (const extent of extents) {
    if (typeof extent === 'number' ? Number.isSafeInteger(extent) : extent.length < LONGEST_EXTENT)
      continue
    throw new GruvError('too-large', 'an extent of this value is beyond reason', {
      where,
      got: String(extent).slice(0, 60),
    })
  }
  return extents
}

export function known(tensor: Tensor): Known {
  return { kind: 'known', shape: tensor.shape, tensor }
}

/** Whole numbers; known ones where none of them is a symbol. */
export function extents(shape: readonly number[], entries: readonly Dim[]): Known | Extents {
  if (entries.every((entry) => typeof entry === 'number'))
    return known({ shape, data: Float64Array.from(entries), dtype: 'int64' })
  return { kind: 'extents', shape, entries }
}

/** The extents of a live value as ONNX sees them. */
export function viewedShape({ view }: Live, graphShape: Shape): Shape {
  return view.map((axes) => product(axes.map((axis) => graphShape[axis])))
}

/** A value of the Model whose axes are those of ONNX's value. */
export function liveValue(value: string, rank: number, type: Live['type'] = 'float'): Live {
  return { kind: 'live', value, view: Array.from({ length: rank }, (_, axis) => [axis]), type }
}
