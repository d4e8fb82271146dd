/** Draws the memory of every unit as bars. */

import { decades, roundUp, showDecade, text, ticks, ticksBeside, WIDTH } from './axes.ts'
import { areaOf, chart, type Words } from './charts.ts'
import { type Mark, type Scene, short } from './scene.ts'

/** From this ratio on, the shortest bars would be invisible on a linear scale. */
const LOGARITHMIC_FROM = 20

/**
 * Bars from the shortest to the longest; infinite ones touch the top. The scale is linear from 0
 * where that shows them all.
 */
export function memoryBars(words: Words, memory: readonly number[]): Scene {
  const area = areaOf(WIDTH, 150)
  const order = memory.map((_, u) => u).sort((a, b) => memory[a] - memory[b])
  const finite = memory.filter((each) => Number.isFinite(each) && each > 0)
  const [shortest, longest] = [Math.min(...finite), Math.max(...finite)]
  const scale =
    finite.length > 0 && longest < LOGARITHMIC_FROM * shortest
      ? evenScale(longest)
      : logarithmicScale(Math.min(1, ...finite), Math.max(10, ...finite))
  const step = area.width / memory.length
  const few = memory.length <= 40
  return chart(words, WIDTH, area, [
    ...ticksBeside(area, scale.range, scale.show, scale.ticks),
    ...order.flatMap((unit, i): readonly Mark[] => {
      const value = memory[unit]
      const share = value === Number.POSITIVE_INFINITY ? 1 : scale.share(value)
      const tall = Math.max(1, Math.min(1, Number.isFinite(share) ? share : 0) * area.height)
      const x = area.x + i * step
      return [
        {
          kind: 'rect',
          x: x + (few ? step * 0.15 : 0),
          y: area.y + area.height - tall,
          width: few ? step * 0.7 : step,
          height: tall,
          ink: 'mark',
        },
        ...(few
          ? [text(x + step / 2, area.y + area.height + 15, String(unit), { anchor: 'middle' })]
          : []),
      ]
    }),
    text(
      area.x + area.width / 2,
      area.y + area.height + (few ? 31 : 18),
      few
        ? 'unit, from the shortest memory to the longest'
        : `${memory.length} units, from the shortest memory to the longest`,
      { anchor: 'middle' },
    ),
  ])
}

interface Scale {
  readonly range: readonly [low: number, high: number]
  readonly ticks: readonly number[]
  readonly show: (tick: number) => string
  /** The height of a number, from 0 to 1. */
  readonly share: (value: number) => number
}

function evenScale(longest: number): Scale {
  const top = roundUp(longest)
  return { range: [0, top], ticks: ticks(0, top, 4), show: short, share: (value) => value / top }
}

function logarithmicScale(shortest: number, longest: number): Scale {
  const low = Math.floor(Math.log10(shortest))
  const high = Math.max(low + 1, Math.ceil(Math.log10(longest)))
  return {
    range: [low, high],
    ticks: decades(low, high),
    show: showDecade,
    share: (value) => (Math.log10(value) - low) / (high - low),
  }
}
