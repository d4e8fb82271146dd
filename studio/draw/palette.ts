/**
 * Colours for numbers. Gates from 0 to 1 have a ramp whose lightness alone shows the value. Signed
 * numbers run from blue over a neutral middle to orange: every kind of colour vision can tell these
 * apart, and both ends differ from the middle in lightness.
 */

type Rgb = readonly [number, number, number]

export interface Palette {
  readonly low: number
  readonly high: number
  /** 256 colours. */
  readonly colours: readonly Rgb[]
  /** The same colours as pixels of a canvas. */
  readonly packed: Uint32Array
}

const rampLight: readonly Rgb[] = [
  [253, 247, 226],
  [244, 205, 120],
  [219, 142, 78],
  [160, 77, 98],
  [88, 42, 108],
  [27, 18, 61],
]
const signLight: readonly Rgb[] = [
  [10, 60, 140],
  [88, 150, 214],
  [246, 246, 243],
  [236, 150, 70],
  [140, 58, 4],
]
const signDark: readonly Rgb[] = [
  [150, 205, 255],
  [52, 112, 190],
  [30, 32, 38],
  [190, 96, 24],
  [255, 204, 140],
]

/** From 0 to 1, for gates. */
export function gatePalette(dark: boolean): Palette {
  const stops = dark ? rampLight.toReversed() : rampLight
  return palette(0, 1, between(stops))
}

/** From −reach to reach. */
export function signPalette(dark: boolean, reach: number): Palette {
  return palette(-reach, reach, between(dark ? signDark : signLight))
}

function between(stops: readonly Rgb[]): readonly Rgb[] {
  return Array.from({ length: 256 }, (_, i): Rgb => {
    const at = (i / 255) * (stops.length - 1)
    const k = Math.min(Math.floor(at), stops.length - 2)
    const share = at - k
    const mix = (c: 0 | 1 | 2): number =>
      Math.round(stops[k][c] * (1 - share) + stops[k + 1][c] * share)
    return [mix(0), mix(1), mix(2)]
  })
}

function palette(low: number, high: number, colours: readonly Rgb[]): Palette {
  return { low, high, colours, packed: Uint32Array.from(colours, pack) }
}

/** Red, green, blue, alpha in memory; every machine that runs WebAssembly is little-endian. */
function pack([r, g, b]: Rgb): number {
  return ((255 << 24) | (b << 16) | (g << 8) | r) >>> 0
}

/** The colour of a missing number. */
export const NOTHING: number = pack([128, 128, 128])

export function css([r, g, b]: Rgb): string {
  return `rgb(${r} ${g} ${b})`
}

const lines = {
  light: ['#1f5fa8', '#b3470a', '#5d6b1f', '#86306f', '#146b5c'],
  dark: ['#7db8ff', '#ffa561', '#c3d46b', '#f09ad6', '#66d3bf'],
} as const

/** The colours of lines, which also differ by dashes, and of the grid behind them. */
export function lineColours(dark: boolean): {
  lines: readonly string[]
  ink: string
  grid: string
} {
  return dark
    ? { lines: lines.dark, ink: '#ffffff', grid: '#3a3f4a' }
    : { lines: lines.light, ink: '#111111', grid: '#d9d9d4' }
}
