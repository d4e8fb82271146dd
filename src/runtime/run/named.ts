/** Finds tensors and ports by name, and says which names there are. */

import { GruvError } from '../../errors.ts'
import type { Named, TensorLike } from '../../tensor.ts'

/** Tensors with what they are for; one without a name is for the first. */
export function assign<T extends { readonly name: string }>(
  what: string,
  items: readonly T[],
  x: TensorLike | Named<TensorLike>,
): readonly (readonly [T, TensorLike])[] {
  if (isTensorLike(x)) return [[items[0], x]]
  return Object.entries(x).map(([name, like]) => [named(what, name, items), like])
}

/** Whether this is one tensor rather than tensors by name. An input may be called `data`. */
export function isTensorLike(x: TensorLike | Named<TensorLike>): x is TensorLike {
  return (
    Array.isArray(x) ||
    ArrayBuffer.isView(x) ||
    typeof x !== 'object' ||
    x === null ||
    ('shape' in x && 'data' in x)
  )
}

/** The one of that name. @throws GruvError `not-found`. */
export function named<T extends { readonly name: string }>(
  what: string,
  name: string,
  items: readonly T[],
): T {
  const found = items.find((item) => item.name === name)
  if (found !== undefined) return found
  throw notFound(
    what,
    name,
    items.map((item) => item.name),
  )
}

/** An error that lists what exists. */
export function notFound(what: string, name: string, names: readonly string[]): GruvError {
  return new GruvError('not-found', `there is no ${what} '${name}'`, {
    expected:
      names.length === 0 ? `none: this model has no ${what}s` : `one of ${names.join(', ')}`,
  })
}
