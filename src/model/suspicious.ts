/** Whether weights deserve a closer look (`stuck.ts`): cheap, and code that every page loads. */

import type { Named, Tensor } from '../tensor.ts'

/** A bias that alone brings `hard_sigmoid` to its end; sigmoid and tanh need more. */
const LARGE_BIAS = 2.5

export function isHalf(dtype: string | undefined): boolean {
  return dtype === 'float16' || dtype === 'bfloat16'
}

/** Zeros where training leaves none, large biases, or arrays of few digits. */
export function isSuspicious(weights: Named<Tensor>): boolean {
  return Object.entries(weights).some(
    ([name, { data, dtype }]) =>
      isHalf(dtype) ||
      // Typed arrays find a number faster than a loop does, and biases are few.
      (/bias/i.test(name) ? data.some((value) => Math.abs(value) >= LARGE_BIAS) : data.includes(0)),
  )
}
