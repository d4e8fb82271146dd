/** Reads the expected outputs of a comparison, as callers write them. */

import { GruvError } from '../errors.ts'
import { statesOf } from '../model/layers.ts'
import type { Model } from '../model/types.ts'
import { isTensorLike } from '../runtime/run/named.ts'
import { type Named, type Tensor, type TensorLike, toTensor } from '../tensor.ts'

/**
 * Tensors by output or final state; one without a name is the first output.
 * @throws GruvError `not-found` for a name that the model lacks, `bad-argument` where there is none.
 */
export function expectedByName(
  model: Model,
  expected: TensorLike | Named<TensorLike>,
): Named<Tensor> {
  const named = isTensorLike(expected) ? { [model.outputs[0].name]: expected } : expected
  const known = [...model.outputs, ...model.nodes.flatMap(statesOf)].map(({ name }) => name)
  const tensors = Object.entries(named).map(([name, like]) => {
    if (!known.includes(name)) {
      throw new GruvError('not-found', `there is no output '${name}'`, {
        where: 'expected',
        expected: `one of ${known.join(', ')}`,
      })
    }
    return [name, toTensor(like, `expected ${name}`)] as const
  })
  if (tensors.length > 0) return Object.fromEntries(tensors)
  throw new GruvError('bad-argument', 'there is nothing to compare with', { where: 'expected' })
}
