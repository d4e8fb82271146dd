/** A rectifier with a trained slope for each unit, in plain JavaScript. */

import type { JsLayer } from '../layer.ts'
import type { PreluKernel } from '../layers/prelu.ts'
import { overFrame } from './vectors.ts'

export const prelu: JsLayer<PreluKernel> = (kernel, _, place) => {
  const { memory: m } = place
  const { lanes, alpha } = kernel
  overFrame(kernel, place, (x, y) => {
    for (let i = 0; i < lanes; i++) m[y + i] = m[x + i] < 0 ? m[alpha + i] * m[x + i] : m[x + i]
  })
}
