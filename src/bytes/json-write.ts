/** Tensors as the JSON and JSONL that `json.ts` reads. */

import { GruvError } from '../errors.ts'
import { type Named, sizeOf, type Tensor, toTensor } from '../tensor.ts'
import { showNumber } from './decimal.ts'
import { LONE } from './json.ts'
import { showExtents } from './show.ts'

type Data = Float32Array | Float64Array

/**
 * One text for all tensors: `data` alone as nested arrays, others by name in an object. Numbers have
 * as few digits as give them back in the precision of the data; NaN is null.
 */
export function writeJson(tensors: Named<Tensor>): string {
  const entries = Object.entries(tensors)
  if (entries.length === 1 && entries[0][0] === LONE) return `${print(entries[0][1])}\n`
  // As nested arrays, tensors called shape and data would read as one.
  const explicit = Object.hasOwn(tensors, 'shape') && Object.hasOwn(tensors, 'data')
  const members = entries.map(([name, each]) => `${JSON.stringify(name)}: ${print(each, explicit)}`)
  return `{\n${members.join(',\n')}\n}\n`
}

/**
 * One line for each index of the first axis.
 * @throws GruvError `bad-shape` for a tensor without axes or without lines.
 */
export function writeJsonLines(tensor: Tensor): string {
  const { shape, data } = toTensor(tensor, 'tensor')
  const [lines = 0, ...rest] = shape
  if (lines === 0) {
    throw new GruvError('bad-shape', 'this gives no lines', {
      expected: 'one line or more along the first axis',
      got: showExtents(shape),
      fix: 'Write .npy or .json, which hold any shape.',
    })
  }
  const size = sizeOf(rest)
  const print = (i: number): string =>
    printBlock(rest, data.subarray(i * size, (i + 1) * size), ', ')
  return `${Array.from({ length: lines }, (_, i) => print(i)).join('\n')}\n`
}

function print(tensor: Tensor, explicit = false): string {
  const { shape, data } = toTensor(tensor, 'tensor')
  return explicit ? printExplicit(shape, data) : printBlock(shape, data, ',\n ')
}

/** @param between what stands between the items of the outermost of several axes. */
function printBlock(shape: readonly number[], data: Data, between: string): string {
  // Nested arrays do not show what lies within an axis of 0.
  if (shape.slice(0, -1).includes(0)) return printExplicit(shape, data)
  const nest = (axis: number, from: number, size: number): string => {
    if (axis === shape.length) return printNumber(data, from)
    const step = size / shape[axis]
    const items = Array.from({ length: shape[axis] }, (_, i) =>
      nest(axis + 1, from + i * step, step),
    )
    return `[${items.join(axis === 0 && shape.length > 1 ? between : ', ')}]`
  }
  return nest(0, 0, data.length)
}

function printExplicit(shape: readonly number[], data: Data): string {
  const numbers = Array.from(data, (_, i) => printNumber(data, i))
  return `{"shape": [${shape.join(', ')}], "data": [${numbers.join(', ')}]}`
}

function printNumber(data: Data, i: number): string {
  const value = data[i]
  if (Number.isFinite(value)) return showNumber(value, data instanceof Float32Array)
  return Number.isNaN(value) ? 'null' : `"${value}"`
}
