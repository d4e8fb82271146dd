/** What an output depends on, as a picture and in words. */

import type { InputJacobian } from '../trace/index.ts'
import { heatmap, symmetric } from './heatmap.ts'
import type { Scene } from './scene.ts'

/** Steps that are shown: the last ones up to the output's, or the first ones where those matter. */
const MOST_STEPS = 64

export interface Dependence {
  readonly scene: Scene
  readonly words: readonly string[]
}

/** Of one unit of the output, by an input or inner value of [time, features]; null for other shapes. */
export function dependence({ output, by, at, units, jacobian }: InputJacobian): Dependence | null {
  if (jacobian.shape.length !== 3) return null
  const [, steps, features] = jacobian.shape
  const data = Float64Array.from(jacobian.data.subarray(0, steps * features))
  const size = Array.from({ length: steps }, (_, t) => {
    let sum = 0
    for (let f = 0; f < features; f++) sum += Math.abs(data[t * features + f])
    return sum
  })
  const total = size.reduce((sum, each) => sum + each, 0)
  const end = Math.min(steps, Math.max(at === null ? steps : at + 1, lastNonZero(size) + 1))
  const begin = Math.max(0, end - MOST_STEPS)
  const shown = end - begin
  const values = new Float64Array(shown * features)
  for (let t = 0; t < shown; t++)
    for (let f = 0; f < features; f++) values[f * shown + t] = data[(begin + t) * features + f]
  const strongest = data.reduce(
    (best, each, i) => (Math.abs(each) > Math.abs(data[best]) ? i : best),
    0,
  )
  const place = `${output}, unit ${units[0]}${at === null ? '' : ` at t = ${at}`}`
  const words =
    total === 0
      ? [`Nothing that comes in moves ${place}: every derivative is 0.`]
      : [
          `${place} depends most on feature ${strongest % features} at t = ${Math.floor(strongest / features)}: a change of 0.01 there moves it by about ${(0.01 * data[strongest]).toPrecision(2)}.`,
          `Nine tenths of all dependence lies within the last ${within(size, total, end)} of ${end} timesteps.`,
        ].map((each) => each.replaceAll('-', '−'))
  return {
    words,
    scene: heatmap({
      title: `∂(${output}, unit ${units[0]}) / ∂${by}`,
      description: `Heatmap of the derivative of ${place} by each of ${features} features at timesteps ${begin} to ${end - 1}. ${words[0]}`,
      values,
      rows: features,
      columns: shown,
      ramp: 'diverging',
      range: symmetric(values),
      down: 'feature',
      across: { title: 'timestep', from: begin, to: end },
      reduce: 'extreme',
    }),
  }
}

function lastNonZero(size: readonly number[]): number {
  let t = size.length - 1
  while (t > 0 && size[t] === 0) t--
  return t
}

/** How many of the steps before `end` hold nine tenths of the sum. */
function within(size: readonly number[], total: number, end: number): number {
  let sum = 0
  let count = 0
  while (count < end && sum < 0.9 * total) sum += size[end - ++count]
  return count
}
