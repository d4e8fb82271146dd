/** A rectifier with a trained slope for each unit, in plain JavaScript. */

import type { PreluKernel } from '../plan/kernels.ts'
import type { JsLayer } from './cursor.ts'
import { overFrame } from './vectors.ts'

export const prelu: JsLayer<PreluKernel> = (kernel, _, cursor) => {
  const { memory: m } = cursor
  const { lanes, alpha } = kernel
  overFrame(kernel, cursor, (x, y) => {
    for (let i = 0; i < lanes; i++) m[y + i] = m[x + i] < 0 ? m[alpha + i] * m[x + i] : m[x + i]
  })
}
