/** ∂y/∂x of whole models against central differences of the reference. */

import { expect } from 'vitest'
import type { Model } from '../../src/model/index.ts'
import { runReference } from '../../src/runtime/reference/index.ts'
import { sizeOf, type Tensor } from '../../src/tensor.ts'
import { type InputJacobianOptions, inputJacobian } from '../../src/trace/index.ts'

const STEP = 1e-5

/**
 * Compares every element of the Jacobian with central differences of the model's outputs, to 1e-6
 * of the largest element.
 * @param x with an axis for the batch.
 * @param run mask, lengths and initial state.
 * @param compared which elements of x are moved; default: all.
 */
export function expectDifferences(
  x: Tensor,
  model: Model,
  row: number,
  options: InputJacobianOptions = {},
  run: Pick<InputJacobianOptions, 'mask' | 'lengths' | 'initialState'> = {},
  compared: (j: number) => boolean = () => true,
): Tensor {
  const { jacobian, at, units } = inputJacobian(model, x, { row, ...options, ...run })
  const inner = x.shape.slice(1)
  const size = sizeOf(inner)
  expect(jacobian.shape).toEqual([units.length, ...inner])
  const output = (sign: number, j: number): Tensor => {
    const data = x.data.slice()
    data[row * size + j] += sign * STEP
    return runReference(model, { shape: x.shape, data }, run).outputs.y
  }
  const largest = Math.max(1e-3, ...jacobian.data.map(Math.abs))
  for (let j = 0; j < size; j++) {
    if (!compared(j)) continue
    const [up, down] = [output(1, j), output(-1, j)]
    const width = up.shape.at(-1)!
    const from = (up.shape.length === 3 ? row * up.shape[1] + at! : row) * width
    units.forEach((unit, i) => {
      const difference = (up.data[from + unit] - down.data[from + unit]) / (2 * STEP)
      expect(Math.abs(jacobian.data[i * size + j] - difference) / largest).toBeLessThan(1e-6)
    })
  }
  return jacobian
}
