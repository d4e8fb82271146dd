/** Lines, bars and dots. */

import {
  type Area,
  decades,
  heading,
  showDecade,
  text,
  ticksBelow,
  ticksBeside,
  WIDTH,
} from './axes.ts'
import { type Mark, type Scene, short } from './scene.ts'

interface Words {
  readonly title: string
  readonly description: string
}

const LEFT = 52
const ABOVE = 28
const BELOW = 38

/** A chart's area, with its title above. */
function areaOf(width: number, height: number): Area {
  return { x: LEFT, y: ABOVE, width: width - LEFT - 14, height }
}

function scene(words: Words, width: number, area: Area, marks: readonly Mark[]): Scene {
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

/** One small chart for each line, all on one scale: no colours to tell apart. */
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
  return scene(words, WIDTH, area, [
    ...marks,
    ...ticksBelow(area, [across.from, across.to], across.title, true),
  ])
}

/** From the lowest to the highest number of each column, where a column holds several. */
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

/** How often numbers fall into each part of a range. */
export function histogram(
  words: Words,
  shares: readonly number[],
  range: readonly [number, number],
  width: number,
): Scene {
  const area = areaOf(width, 96)
  const top = Math.max(...shares, 1e-9)
  const step = area.width / shares.length
  return scene(words, width, area, [
    ...ticksBeside(area, [0, top], (tick) => `${short(100 * tick)} %`),
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

/** A unit's share of steps below 0.1 against that above 0.9, as Karpathy et al. 2015 draw it. */
export function saturation(
  words: Words,
  left: readonly number[],
  right: readonly number[],
  width: number,
): Scene {
  const area = areaOf(width, width - LEFT - 14)
  const x = (share: number): number => area.x + share * area.width
  const y = (share: number): number => area.y + (1 - share) * area.height
  return scene(words, width, area, [
    ...ticksBeside(area, [0, 1], (tick) => `${Math.round(100 * tick)} %`, [0, 0.25, 0.5, 0.75, 1]),
    { kind: 'line', points: [x(0), y(1), x(1), y(0)], ink: 'muted', width: 1, dashed: true },
    ...left.map(
      (share, u): Mark => ({ kind: 'dot', x: x(share), y: y(right[u]), radius: 4, ink: 'mark' }),
    ),
    ...[0, 0.5, 1].map((share) =>
      text(x(share), area.y + area.height + 15, `${100 * share} %`, { anchor: 'middle' }),
    ),
    text(area.x + area.width / 2, area.y + area.height + 31, 'to the right: steps below 0.1', {
      anchor: 'middle',
    }),
    text(area.x + area.width - 4, area.y + 14, 'up: steps above 0.9', { anchor: 'end' }),
  ])
}

/** Bars from the shortest to the longest, on a logarithmic scale; endless ones touch the top. */
export function memoryBars(words: Words, memory: readonly number[]): Scene {
  const area = areaOf(WIDTH, 150)
  const order = memory.map((_, u) => u).sort((a, b) => memory[a] - memory[b])
  const finite = memory.filter((each) => Number.isFinite(each) && each > 0).map(Math.log10)
  const low = Math.floor(Math.min(0, ...finite))
  const high = Math.max(low + 1, Math.ceil(Math.max(1, ...finite)))
  const step = area.width / memory.length
  const few = memory.length <= 40
  return scene(words, WIDTH, area, [
    ...ticksBeside(area, [low, high], showDecade, decades(low, high)),
    ...order.flatMap((unit, i): readonly Mark[] => {
      const value = memory[unit]
      const share =
        value === Number.POSITIVE_INFINITY ? 1 : (Math.log10(value) - low) / (high - low)
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

/** A line of positive numbers on a logarithmic scale, with a limit drawn across it where there is one. */
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
  return scene(words, WIDTH, area, [
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
    // A number between gaps has no line; it is a dot.
    ...logs.flatMap((log, i): readonly Mark[] =>
      Number.isFinite(log) && !Number.isFinite(logs[i - 1]) && !Number.isFinite(logs[i + 1])
        ? [{ kind: 'dot', x: x(i), y: y(log), radius: 2, ink: 'line' }]
        : [],
    ),
    ...ticksBelow(area, [across.from, across.to], across.title, true),
  ])
}

/** Side by side. */
export function beside(words: Words, scenes: readonly Scene[], gap = 24): Scene {
  let x = 0
  const marks = scenes.flatMap((each) => {
    const from = x
    x += each.width + gap
    return each.marks.map(
      (mark): Mark =>
        mark.kind === 'line' || mark.kind === 'area'
          ? { ...mark, points: mark.points.map((value, i) => (i % 2 === 0 ? value + from : value)) }
          : { ...mark, x: mark.x + from },
    )
  })
  return {
    ...words,
    width: x - gap,
    height: Math.max(...scenes.map(({ height }) => height)),
    marks,
  }
}

function bounds(values: readonly number[]): readonly [number, number] {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (const value of values) {
    if (!Number.isFinite(value)) continue
    if (value < low) low = value
    if (value > high) high = value
  }
  if (low > high) return [-1, 1]
  // States of gated layers lie within ±1: shown so, unless they are much smaller or larger.
  const size = Math.max(Math.abs(low), Math.abs(high))
  if (size <= 1 && size > 0.3) return [-1, 1]
  const round =
    Number(size.toPrecision(1)) >= size
      ? Number(size.toPrecision(1))
      : Number((size * 1.5).toPrecision(1))
  return round === 0 ? [-1, 1] : [low < 0 ? -round : 0, high > 0 ? round : 0]
}
