/**
 * Colour ramps that can be read without colour vision: lightness changes evenly, along straight
 * lines through OKLab (B. Ottosson 2020, "A perceptual color space for image processing").
 */

import type { Ink, Raster } from './scene.ts'

type Lab = readonly [lightness: number, a: number, b: number]
export type Rgb = readonly [number, number, number]

/**
 * From blue over grey to yellow, like cividis, which looks the same without red or green vision.
 */
const sequential: readonly Lab[] = [
  [0.26, -0.01, -0.1],
  [0.58, -0.005, 0],
  [0.93, -0.02, 0.15],
]

/** Blue below zero, orange above it, and lightest at zero. */
const diverging: readonly Lab[] = [
  [0.34, -0.02, -0.13],
  [0.68, -0.04, -0.09],
  [0.96, 0, 0.005],
  [0.7, 0.07, 0.1],
  [0.4, 0.09, 0.08],
]

const STEPS = 254

export type Ramp = 'sequential' | 'diverging'

/** Entry 0 is transparent; 1 … 255 are the ramp. */
export const palettes: Readonly<Record<Ramp, readonly Rgb[]>> = {
  sequential: ramp(sequential),
  diverging: ramp(diverging),
}

function ramp(stops: readonly Lab[]): readonly Rgb[] {
  const colours = Array.from({ length: STEPS + 1 }, (_, i) => {
    const place = (i / STEPS) * (stops.length - 1)
    const before = Math.min(Math.floor(place), stops.length - 2)
    const share = place - before
    const mixed = stops[before].map((each, k) => each + share * (stops[before + 1][k] - each))
    // Three numbers; `map` loses the length of a tuple.
    return toRgb(mixed as unknown as Lab)
  })
  return [[0, 0, 0], ...colours]
}

function toRgb([L, a, b]: Lab): Rgb {
  const l = (L + 0.3963377774 * a + 0.2158037573 * b) ** 3
  const m = (L - 0.1055613458 * a - 0.0638541728 * b) ** 3
  const s = (L - 0.0894841775 * a - 1.291485548 * b) ** 3
  return [
    encode(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s),
    encode(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s),
    encode(-0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s),
  ]
}

/** The transfer function of sRGB: IEC 61966-2-1. */
function encode(linear: number): number {
  const x = Math.min(1, Math.max(0, linear))
  return Math.round(255 * (x <= 0.0031308 ? 12.92 * x : 1.055 * x ** (1 / 2.4) - 0.055))
}

/** Numbers [rows, columns] as coloured cells; NaN is blank. */
export function colourCells(
  values: ArrayLike<number>,
  rows: number,
  columns: number,
  ramp: Ramp,
  [low, high]: readonly [number, number],
): Raster {
  const cells = new Uint8Array(rows * columns)
  const span = high > low ? high - low : 1
  for (let i = 0; i < cells.length; i++) {
    const share = (values[i] - low) / span
    cells[i] = Number.isNaN(share) ? 0 : 1 + Math.round(STEPS * Math.min(1, Math.max(0, share)))
  }
  return { rows, columns, cells, palette: palettes[ramp] }
}

/** Contrast with the paper is at least 4.5 for text and 3 for graphics (WCAG 1.4.3, 1.4.11). */
export const inks: Readonly<Record<'light' | 'dark', Readonly<Record<Ink | 'paper', string>>>> = {
  light: {
    paper: '#ffffff',
    text: '#1b1f24',
    muted: '#555c66',
    grid: '#d5d9de',
    line: '#1d5a96',
    band: '#b9d0e6',
    warn: '#b3460b',
    mark: '#1d5a96',
  },
  dark: {
    paper: '#14171b',
    text: '#e6e8eb',
    muted: '#a3abb5',
    grid: '#3a4048',
    line: '#7db7ef',
    band: '#2c4a67',
    warn: '#f2995c',
    mark: '#7db7ef',
  },
}
