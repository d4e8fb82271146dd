/** Scales, ticks and frames that charts share. */

import { type Mark, short } from './scene.ts'

export const WIDTH = 760
export const SIZE = { title: 14, label: 12 } as const

export interface Area {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

/** About `count` round numbers at most, within a range. */
export function ticks(low: number, high: number, count: number): readonly number[] {
  const rough = (high - low) / Math.max(count, 1)
  if (!(rough > 0) || !Number.isFinite(rough)) return [low]
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = power * ([1, 2, 5, 10].find((each) => each * power >= rough * 0.999) ?? 10)
  const first = Math.ceil(low / step - 1e-9)
  const last = Math.floor(high / step + 1e-9)
  return Array.from({ length: last - first + 1 }, (_, i) =>
    Number(((first + i) * step).toPrecision(12)),
  )
}

/** The smallest round number that is not below a positive one, for the end of an axis from 0. */
export function roundUp(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value))
  const digit = [1, 1.5, 2, 3, 4, 5, 6, 8, 10].find((each) => each * power >= value * (1 - 1e-9))
  return Number(((digit ?? 10) * power).toPrecision(2))
}

export function text(
  x: number,
  y: number,
  words: string,
  {
    anchor = 'start',
    ink = 'muted',
    size = SIZE.label,
    bold = false,
  }: {
    readonly anchor?: 'start' | 'middle' | 'end'
    readonly ink?: 'text' | 'muted' | 'warn'
    readonly size?: number
    readonly bold?: boolean
  } = {},
): Mark {
  return { kind: 'text', x, y, text: words, size, ink, anchor, ...(bold && { bold }) }
}

export function heading(x: number, y: number, words: string): Mark {
  return text(x, y, words, { ink: 'text', size: SIZE.title, bold: true })
}

/** Numbers below an area, centred on the cells of a raster where there are cells. */
export function ticksBelow(
  { x, y, width, height }: Area,
  [from, to]: readonly [number, number],
  title: string,
  cells = false,
): readonly Mark[] {
  const count = Math.max(3, Math.floor(width / 90))
  const span = to - from
  const half = cells ? 0.5 : 0
  const last = cells ? to - 1 : to
  const marks = ticks(from, last, count)
    .filter((tick) => !cells || Number.isInteger(tick))
    .map((tick) =>
      text(x + ((tick + half - from) / span) * width, y + height + 15, short(tick), {
        anchor: 'middle',
      }),
    )
  return [...marks, text(x + width / 2, y + height + 31, title, { anchor: 'middle' })]
}

/** Numbers beside an area, from the bottom up, with lines across. */
export function ticksBeside(
  { x, y, width, height }: Area,
  [low, high]: readonly [number, number],
  show: (tick: number) => string = short,
  values: readonly number[] = ticks(low, high, Math.max(2, Math.floor(height / 34))),
): readonly Mark[] {
  return values.flatMap((tick): readonly Mark[] => {
    const at = y + height - ((tick - low) / (high - low)) * height
    return [
      { kind: 'line', points: [x, at, x + width, at], ink: 'grid', width: 1 },
      text(x - 7, at + 4, show(tick), { anchor: 'end' }),
    ]
  })
}

/** Decades of a logarithmic scale; low and high are exponents. */
export function decades(low: number, high: number): readonly number[] {
  const [first, last] = [Math.ceil(low - 1e-9), Math.floor(high + 1e-9)]
  const stride = Math.max(1, Math.ceil((last - first) / 6))
  return Array.from(
    { length: Math.floor((last - first) / stride) + 1 },
    (_, i) => first + i * stride,
  )
}

/** 10^−3 as people write it. */
export function showDecade(exponent: number): string {
  return Math.abs(exponent) <= 3 ? short(10 ** exponent) : `1e${exponent}`.replace('-', '−')
}
