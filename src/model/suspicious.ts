/** Whether weights deserve a closer look (`stuck.ts`): cheap, and code that every page loads. */

import type { Named, Tensor } from '../tensor.ts'

/** A bias that alone brings `hard_sigmoid` to its end; sigmoid and tanh need more. */
const LARGE_BIAS = 2.5

export function isHalf(dtype: string | undefined): boolean {
  return dtype === 'float16' || dtype === 'bfloat16'
}

/** Zeros where training leaves none, large biases, or arrays of few digits. */
export function isSuspicious(weights: Named<Tensor>): boolean {
  return Object.entries(weights).some(([name, { data, dtype }]) => {
    const least = /bias/i.test(name) ? LARGE_BIAS : Number.POSITIVE_INFINITY
    let zeros = 0
    for (let i = 0; i < data.length; i++) {
      if (Math.abs(data[i]) >= least) return true
      if (data[i] === 0) zeros++
    }
    return isHalf(dtype) || (least === Number.POSITIVE_INFINITY && zeros > 0)
  })
}
