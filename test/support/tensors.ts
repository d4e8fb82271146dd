/** Generates tensors of any shape and value, and compares them bit for bit. */

import fc from 'fast-check'
import { expect } from 'vitest'
import { sizeOf, type Tensor } from '../../src/tensor.ts'

export interface AnyTensorOptions {
  readonly minAxes?: number
  readonly maxAxes?: number
  readonly minExtent?: number
}

/** Up to four axes of up to four, float32 or float64, with NaN, infinities, −0 and subnormals. */
export function anyTensor(options: AnyTensorOptions = {}): fc.Arbitrary<Tensor> {
  const { minAxes = 0, maxAxes = 4, minExtent = 0 } = options
  return fc
    .tuple(
      fc.array(fc.integer({ min: minExtent, max: 4 }), { minLength: minAxes, maxLength: maxAxes }),
      fc.boolean(),
    )
    .chain(([shape, single]) => {
      const length = { minLength: sizeOf(shape), maxLength: sizeOf(shape) }
      const data: fc.Arbitrary<Float32Array | Float64Array> = single
        ? fc.array(fc.float(), length).map((values) => Float32Array.from(values))
        : fc.array(fc.double(), length).map((values) => Float64Array.from(values))
      return data.map((values) => ({ shape, data: values }))
    })
}

/** Names that users might choose, and extreme ones. */
export function anyNames(): fc.Arbitrary<string> {
  return fc.oneof(
    fc.string({ unit: 'grapheme' }),
    fc.constantFrom('data', 'shape', 'gru/kernel:0', '0', '10', '__proto__', 'constructor', ''),
  )
}

export function anyTensors(options?: AnyTensorOptions): fc.Arbitrary<Record<string, Tensor>> {
  return fc
    .uniqueArray(fc.tuple(anyNames(), anyTensor(options)), {
      selector: ([name]) => name,
      maxLength: 4,
    })
    .map((entries) => Object.fromEntries(entries))
}

/** The same shape, and for every number the same value; −0 is not 0, NaN is NaN. */
export function expectSame(actual: Tensor, expected: Tensor): void {
  expect(actual.shape).toEqual(expected.shape)
  expect(actual.data.length).toBe(expected.data.length)
  actual.data.forEach((value, i) => {
    if (!Object.is(value, expected.data[i])) expect([i, value]).toEqual([i, expected.data[i]])
  })
}

/** Numbers that were read as decimals, rounded to the precision that was written. */
export function inPrecisionOf({ data }: Tensor, read: Tensor): Tensor {
  return data instanceof Float32Array ? { ...read, data: Float32Array.from(read.data) } : read
}
