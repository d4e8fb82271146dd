/** Reads the states that sequences start from, as callers write them. */

import { GruvError } from '../../errors.ts'
import { type Named, type Tensor, type TensorLike, toTensor, unfit } from '../../tensor.ts'
import { assign, isTensorLike } from './named.ts'

/**
 * Initial states by name, each [size] or [rows, size].
 * @param rows how many there are of a state.
 * @throws GruvError `bad-shape` or `not-found`, naming the state.
 */
export function readStates<S extends { readonly name: string; readonly size: number }>(
  states: readonly S[],
  given: TensorLike | Named<TensorLike> | undefined,
  rows: (state: S) => number,
): ReadonlyMap<string, Tensor> {
  if (given === undefined) return new Map()
  if (isTensorLike(given) && states.length !== 1) {
    const names = states.map(({ name }) => `'${name}': …`)
    throw new GruvError(
      'bad-argument',
      `this model has ${states.length} states, each needs its name`,
      {
        where: 'initialState',
        expected: names.length === 0 ? 'none' : `{ ${names.join(', ')} }`,
        got: 'one tensor without a name',
      },
    )
  }
  return new Map(
    assign('state', states, given).map(([state, like]) => {
      const { name, size } = state
      const where = `initial state ${name}`
      const tensor = toTensor(like, where)
      const outer = tensor.shape.slice(0, -1)
      // PyTorch and ONNX write [layers, batch, units] even for a single layer.
      const [there = 1, ...more] = outer.length === 2 && outer[0] === 1 ? outer.slice(1) : outer
      const count = rows(state)
      if (tensor.shape.at(-1) !== size || more.length > 0 || (there !== 1 && there !== count))
        throw unfit('the initial state does not fit', where, [[size], [count, size]], tensor.shape)
      return [name, { ...tensor, shape: there === 1 ? [size] : [there, size] }]
    }),
  )
}
