/**
 * Colours for numbers. Gates run from 0 to 1 on a ramp whose lightness alone tells the value; what
 * has a sign runs from blue over a neutral middle to orange, which every kind of colour vision
 * tells apart, and both ends differ from the middle in lightness.
 */

type Rgb = readonly [number, number, number]

export interface Palette {
  readonly low: number
  readonly high: number
  /** 256 colours. */
  readonly colours: readonly Rgb[]
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
  return { low: 0, high: 1, colours: between(stops) }
}

/** From −reach to reach. */
export function signPalette(dark: boolean, reach: number): Palette {
  return { low: -reach, high: reach, colours: between(dark ? signDark : signLight) }
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

/** What is not there, or is no number. */
const NOTHING: Rgb = [128, 128, 128]

export function colourOf({ low, high, colours }: Palette, value: number): Rgb {
  if (Number.isNaN(value)) return NOTHING
  const at = Math.round((255 * (value - low)) / (high - low))
  return colours[Math.max(0, Math.min(255, at))]
}

export function css([r, g, b]: Rgb): string {
  return `rgb(${r} ${g} ${b})`
}
