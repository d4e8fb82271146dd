/** Finds the arrays of a bare layer by the names that the caller gave. */

import { GruvError } from '../errors.ts'
import type { Tensor } from '../tensor.ts'
import { type FindArrays, listArrays } from './bare-layer.ts'
import type { ArrayNames } from './format.ts'

/** @throws GruvError `not-found` for a name that no array has, `bad-argument` without both kernels. */
export const byNames =
  (names: ArrayNames): FindArrays =>
  (tensors) => {
    const named = (part: keyof ArrayNames): Tensor | undefined => {
      const name = names[part]
      if (name === undefined) return undefined
      if (Object.hasOwn(tensors, name)) return tensors[name]
      throw new GruvError('not-found', `there is no array '${name}'`, {
        where: `--names ${part}=`,
        got: listArrays(tensors),
      })
    }
    const kernel = named('w')
    const recurrentKernel = named('u')
    if (kernel === undefined || recurrentKernel === undefined) {
      throw new GruvError('bad-argument', 'the names of both kernels are needed', {
        where: '--names',
        expected: 'w=INPUT_KERNEL,u=RECURRENT_KERNEL, and b=BIAS if there is one',
        got: Object.keys(names).join(', ') || 'none',
      })
    }
    return {
      arrays: { kernel, recurrentKernel, bias: named('b'), recurrentBias: named('br') },
      grounds: {},
    }
  }
