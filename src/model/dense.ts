/** Builds Dense nodes from their arrays. */

import { GruvError } from '../errors.ts'
import { showShape, sizeOf, type Tensor } from '../tensor.ts'
import { type Activation, activation, showActivation } from './activation/activations.ts'
import { transpose } from './axes.ts'
import type { Ground } from './conventions/grounds.ts'
import type { DenseNode, Unwired } from './types.ts'

export interface DenseArrays {
  /** [features, units], or [units, features] when transposed. */
  readonly kernel: Tensor
  /** [units] */
  readonly bias?: Tensor | undefined
}

/** @throws GruvError `bad-shape` when the arrays do not fit together. */
export function denseNode(
  name: string,
  arrays: DenseArrays,
  act: Ground<Activation> = {
    value: activation('linear'),
    origin: 'assumed',
    why: 'a Dense layer has none by default',
  },
  transposed: Ground<'yes' | 'no'> = {
    value: 'no',
    origin: 'assumed',
    why: 'Keras writes [features, units]',
  },
): Unwired<DenseNode> {
  if (arrays.kernel.shape.length !== 2 || sizeOf(arrays.kernel.shape) === 0) {
    throw new GruvError('bad-shape', 'a kernel is a matrix', {
      where: `${name}: kernel`,
      expected: transposed.value === 'yes' ? '[units, features]' : '[features, units]',
      got: showShape(arrays.kernel.shape),
    })
  }
  const kernel = transposed.value === 'yes' ? transpose(arrays.kernel) : arrays.kernel
  const [features, units] = kernel.shape
  const bias = arrays.bias ?? null
  if (bias !== null && sizeOf(bias.shape) !== units) {
    throw new GruvError('bad-shape', 'the bias does not fit the kernel', {
      where: `${name}: bias`,
      expected: `[${units}]`,
      got: showShape(bias.shape),
    })
  }
  return {
    kind: 'dense',
    name,
    features,
    units,
    activation: act.value,
    conventions: [
      { key: 'transposed', ...transposed },
      { key: 'activation', ...act, value: showActivation(act.value) },
    ],
    weights: { kernel, bias: bias === null ? null : { ...bias, shape: [units] } },
  }
}
