/** Charts of lines, histograms and dots. */

import {
  type Area,
  decades,
  heading,
  roundUp,
  showDecade,
  text,
  ticksBelow,
  ticksBeside,
  WIDTH,
} from './axes.ts'
import { type Mark, type Scene, shift, short } from './scene.ts'

export interface Words {
  readonly title: string
  readonly description: string
}

const LEFT = 52
const ABOVE = 28
const BELOW = 38

/** A chart's area, with its title above. */
export function areaOf(width: number, height: number): Area {
  return { x: LEFT, y: ABOVE, width: width - LEFT - 14, height }
}

/** A chart: its marks, and its title above them. */
export function chart(words: Words, width: number, area: Area, marks: readonly Mark[]): Scene {
  return {
    ...words,
    width,
    height: area.y + area.height + BELOW,
    marks: [heading(area.x, 16, words.title), ...marks],
  }
}

export interface Trajectory {
  readonly name: string
  readonly mean: ArrayLike<number>
  readonly min: ArrayLike<number>
  readonly max: ArrayLike<number>
}

/** One small chart for each line, all on one scale, so that no colours need telling apart. */
export function trajectories(
  words: Words,
  lines: readonly Trajectory[],
  across: { readonly from: number; readonly to: number; readonly title: string },
): Scene {
  const [tall, gap] = [54, 20]
  const [low, high] = bounds(
    lines.flatMap(({ min, max }) => [...Array.from(min), ...Array.from(max)]),
  )
  const marks = lines.flatMap(({ name, mean, min, max }, i): readonly Mark[] => {
    const area: Area = {
      x: LEFT,
      y: ABOVE + i * (tall + gap),
      width: WIDTH - LEFT - 70,
      height: tall,
    }
    const columns = mean.length
    const x = (column: number): number => area.x + ((column + 0.5) / columns) * area.width
    const y = (value: number): number =>
      area.y + area.height - ((value - low) / (high - low)) * area.height
    const line = Array.from(mean).flatMap((value, column) => [x(column), y(value)])
    const bands = bandAreas(min, max, x, y)
    return [
      ...ticksBeside(area, [low, high], short, low < 0 && high > 0 ? [low, 0, high] : [low, high]),
      ...bands,
      { kind: 'line', points: line, ink: 'line', width: 1.5 },
      text(area.x + area.width + 8, area.y + tall / 2 + 4, name, { ink: 'text' }),
    ]
  })
  const area: Area = {
    x: LEFT,
    y: ABOVE,
    width: WIDTH - LEFT - 70,
    height: lines.length * (tall + gap) - gap,
  }
  return chart(words, WIDTH, area, [
    ...marks,
    ...ticksBelow(area, [across.from, across.to], across.title, true),
  ])
}

/** The range of each column, where a column holds several numbers. */
function bandAreas(
  min: ArrayLike<number>,
  max: ArrayLike<number>,
  x: (column: number) => number,
  y: (value: number) => number,
): readonly Mark[] {
  const columns = Array.from({ length: min.length }, (_, i) => i)
  if (columns.every((i) => !(max[i] > min[i]))) return []
  const known = columns.filter((i) => Number.isFinite(min[i]) && Number.isFinite(max[i]))
  const points = [
    ...known.flatMap((i) => [x(i), y(max[i])]),
    ...known.toReversed().flatMap((i) => [x(i), y(min[i])]),
  ]
  return [{ kind: 'area', points, ink: 'band' }]
}

/** The share of numbers in each bin of a range. */
export function histogram(
  words: Words,
  shares: readonly number[],
  range: readonly [number, number],
  width: number,
): Scene {
  const area = areaOf(width, 96)
  const top = roundUp(Math.max(...shares, 0.01))
  const step = area.width / shares.length
  return chart(words, width, area, [
    ...ticksBeside(area, [0, top], (tick) => `${short(100 * tick)} %`, [0, top / 2, top]),
    ...shares.map((share, i): Mark => {
      const tall = (share / top) * area.height
      return {
        kind: 'rect',
        x: area.x + i * step + 1,
        y: area.y + area.height - tall,
        width: step - 2,
        height: tall,
        ink: 'mark',
      }
    }),
    ...ticksBelow(area, range, 'value of the gate'),
  ])
}

/**
 * The share of steps below 0.1 against that above 0.9 for each unit, as in Karpathy et al. 2015.
 */
export function saturation(
  words: Words,
  left: readonly number[],
  right: readonly number[],
  width: number,
): Scene {
  const area = areaOf(width, width - LEFT - 14)
  const x = (share: number): number => area.x + share * area.width
  const y = (share: number): number => area.y + (1 - share) * area.height
  return chart(words, width, area, [
    ...ticksBeside(area, [0, 1], (tick) => `${Math.round(100 * tick)} %`, [0, 0.25, 0.5, 0.75, 1]),
    { kind: 'line', points: [x(0), y(1), x(1), y(0)], ink: 'muted', width: 1, dashed: true },
    ...left.map(
      (share, u): Mark => ({ kind: 'dot', x: x(share), y: y(right[u]), radius: 4, ink: 'mark' }),
    ),
    text(x(0.5), area.y + area.height + 15, '50 %', { anchor: 'middle' }),
    text(x(1), area.y + area.height + 15, '100 %', { anchor: 'end' }),
    text(area.x + area.width / 2, area.y + area.height + 31, 'right: share below 0.1', {
      anchor: 'middle',
    }),
    text(area.x + area.width - 4, area.y + 14, 'up: share above 0.9', { anchor: 'end' }),
  ])
}

/** A line of positive numbers on a logarithmic scale, optionally with a limit drawn across it. */
export function logLine(
  words: Words,
  values: ArrayLike<number>,
  across: { readonly from: number; readonly to: number; readonly title: string },
  limit: { readonly value: number; readonly name: string } | null = null,
): Scene {
  const area = areaOf(WIDTH, 170)
  const logs = Array.from(values, (value) => (value > 0 ? Math.log10(value) : Number.NaN))
  const known = [...logs, ...(limit === null ? [] : [Math.log10(limit.value)])].filter(
    Number.isFinite,
  )
  const high = Math.ceil(Math.max(...known, -16) + 0.05)
  const low = Math.max(Math.min(Math.floor(Math.min(...known, high) - 0.05), high - 1), high - 18)
  const y = (log: number): number =>
    area.y + area.height - ((Math.max(log, low) - low) / (high - low)) * area.height
  const x = (i: number): number => area.x + ((i + 0.5) / logs.length) * area.width
  const at = limit === null ? 0 : y(Math.log10(limit.value))
  return chart(words, WIDTH, area, [
    ...ticksBeside(area, [low, high], showDecade, decades(low, high)),
    ...(limit === null
      ? []
      : ([
          {
            kind: 'line',
            points: [area.x, at, area.x + area.width, at],
            ink: 'warn',
            width: 1.5,
            dashed: true,
          },
          text(area.x + area.width - 4, at - 6, limit.name, { anchor: 'end', ink: 'warn' }),
        ] as const)),
    { kind: 'line', points: logs.flatMap((log, i) => [x(i), y(log)]), ink: 'line', width: 1.5 },
    // A single number between gaps is a dot.
    ...logs.flatMap((log, i): readonly Mark[] =>
      Number.isFinite(log) && !Number.isFinite(logs[i - 1]) && !Number.isFinite(logs[i + 1])
        ? [{ kind: 'dot', x: x(i), y: y(log), radius: 2, ink: 'line' }]
        : [],
    ),
    ...ticksBelow(area, [across.from, across.to], across.title, true),
  ])
}

/** Side by side; a part of a picture, which says what it shows. */
export function beside(scenes: readonly Scene[], gap = 24): Scene {
  let x = 0
  const marks = scenes.flatMap((each) => {
    const from = x
    x += each.width + gap
    return each.marks.map((mark) => shift(mark, from, 0))
  })
  const height = Math.max(...scenes.map((scene) => scene.height))
  return { title: '', description: '', width: x - gap, height, marks }
}

/** The lowest and the highest finite number; ∞ and −∞ where there is none. */
export function finiteEnds(values: ArrayLike<number>): readonly [low: number, high: number] {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (let i = 0; i < values.length; i++) {
    if (!Number.isFinite(values[i])) continue
    low = Math.min(low, values[i])
    high = Math.max(high, values[i])
  }
  return [low, high]
}

function bounds(values: readonly number[]): readonly [number, number] {
  const [low, high] = finiteEnds(values)
  if (low > high) return [-1, 1]
  // States of gated layers lie within ±1; the scale says so unless they are much smaller or larger.
  const size = Math.max(Math.abs(low), Math.abs(high))
  if (size === 0 || (size <= 1 && size > 0.6)) return [-1, 1]
  const round = roundUp(size)
  return [low < 0 ? -round : 0, high > 0 ? round : 0]
}
