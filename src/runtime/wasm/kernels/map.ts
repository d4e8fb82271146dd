/** Layers from a vector to one of equal width, in WebAssembly. */

import { LANES, padded } from '../../plan/types.ts'
import type { CodegenContext, Entry, Routine } from './context.ts'
import { address, advance, type Emitter, type Pointer, pointer, repeat, VECTOR } from './emitter.ts'
import { writeVectorLayer } from './loop-nest.ts'

/** A layer from x to y, of equal width. */
interface Mapped {
  readonly kind: string
  readonly x: number
  readonly y: number
  readonly width: number
}

/** `writeVectorLayer`, for a layer that is written as a function of the two vectors. */
export function writeMap(
  context: CodegenContext,
  { kind, x, y }: Mapped,
  entry: Entry,
  write: (k: Emitter, x: Pointer, y: Pointer) => void,
): Routine {
  return writeVectorLayer(context, kind, [x, y], context.func(kind, write), entry)
}

/**
 * The same, where every vector is treated alike: `each` gets where they lie in x and y, and
 * in arrays of as many numbers at these offsets of the weights.
 */
export function writeElementwise(
  context: CodegenContext,
  kernel: Mapped,
  entry: Entry,
  arrays: readonly number[],
  each: (k: Emitter, x: Pointer, y: Pointer, arrays: readonly Pointer[]) => void,
): Routine {
  return writeMap(context, kernel, entry, (k, xFirst, yFirst) => {
    const [x, y] = [pointer(k, xFirst), pointer(k, yFirst)]
    const others = arrays.map((offset) => address(k, offset))
    repeat(k, (padded(kernel.width) / LANES) * k.parts, () => {
      each(k, x, y, others)
      for (const moving of [x, y, ...others]) advance(k, moving, VECTOR)
    })
  })
}
