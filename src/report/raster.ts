/** Draws pictures into pixels, for PNG files. */

import { GruvError } from '../errors.ts'
import { inks, type Rgb } from './colours.ts'
import { strokesOf } from './letters.ts'
import { pixelPng } from './png.ts'
import type { Ink, Mark, Scene } from './scene.ts'

/** Pixels for each unit of the scene, for sharp pictures on dense screens. */
const SCALE = 2
const MARGIN = 16
/** Larger pictures are better drawn one by one. */
const MOST_PIXELS = 100e6

/** On white paper. @throws GruvError `too-large` where many layers make too large a picture. */
export function scenePng(scene: Scene): Promise<Uint8Array> {
  const width = Math.ceil((scene.width + 2 * MARGIN) * SCALE)
  const height = Math.ceil((scene.height + 2 * MARGIN) * SCALE)
  if (width * height > MOST_PIXELS) {
    throw new GruvError('too-large', 'the picture would be too tall', {
      where: scene.title,
      expected: `at most ${MOST_PIXELS / 1e6} million pixels`,
      got: `${width} × ${height}`,
      fix: 'Choose a layer, or write .svg or .html.',
    })
  }
  const canvas = new Canvas(width, height)
  for (const mark of scene.marks) drawMark(canvas, mark)
  return pixelPng(width, height, canvas.pixels)
}

function drawMark(canvas: Canvas, mark: Mark): void {
  switch (mark.kind) {
    case 'rect':
      canvas.box(mark.x, mark.y, mark.width, mark.height, () => rgbOf(mark.ink))
      return
    case 'frame': {
      const { x, y, width, height } = mark
      const corners = [x, y, x + width, y, x + width, y + height, x, y + height, x, y]
      canvas.line(corners, 1, rgbOf('grid'))
      return
    }
    case 'line':
      canvas.line(mark.dashed ? dashes(mark.points) : mark.points, mark.width, rgbOf(mark.ink))
      return
    case 'area':
      canvas.fill(mark.points, rgbOf(mark.ink))
      return
    case 'dot':
      canvas.line([mark.x, mark.y, mark.x, mark.y], 2 * mark.radius, rgbOf(mark.ink), 0.65)
      return
    case 'text': {
      const { lines, width } = strokesOf(mark.text, mark.size)
      const from = mark.x - width * { start: 0, middle: 0.5, end: 1 }[mark.anchor]
      const weight = (mark.bold ? 0.13 : 0.09) * mark.size
      for (const line of lines) {
        const moved = line.map((each, i) => each + (i % 2 === 0 ? from : mark.y))
        canvas.line(moved, weight, rgbOf(mark.ink))
      }
      return
    }
    case 'image': {
      const { columns, rows, cells, palette } = mark.raster
      canvas.box(mark.x, mark.y, mark.width, mark.height, (u, v) => {
        const cell = cells[Math.floor(v * rows) * columns + Math.floor(u * columns)]
        return cell === 0 ? null : palette[cell]
      })
    }
  }
}

/** Dashes of five with gaps of four, as in the SVG; NaN lifts the pen. */
function dashes(points: readonly number[]): readonly number[] {
  const cut: number[] = []
  for (let i = 0; i + 3 < points.length; i += 2) {
    const [x0, y0, x1, y1] = points.slice(i, i + 4)
    const length = Math.hypot(x1 - x0, y1 - y0)
    for (let at = 0; at < length; at += 9) {
      const [from, to] = [at / length, Math.min(at + 5, length) / length]
      cut.push(x0 + from * (x1 - x0), y0 + from * (y1 - y0))
      cut.push(x0 + to * (x1 - x0), y0 + to * (y1 - y0), Number.NaN, Number.NaN)
    }
  }
  return cut
}

function rgbOf(ink: Ink): Rgb {
  const value = Number.parseInt(inks.light[ink].slice(1), 16)
  return [value >> 16, (value >> 8) & 255, value & 255]
}

/** White paper, in the coordinates of the scene. */
class Canvas {
  readonly pixels: Uint8Array
  private readonly width: number
  private readonly height: number

  constructor(width: number, height: number) {
    this.width = width
    this.height = height
    this.pixels = new Uint8Array(3 * width * height).fill(255)
  }

  /** @param colourAt the colour at a position across and down, from 0 to 1; null for none. */
  box(
    x: number,
    y: number,
    width: number,
    height: number,
    colourAt: (across: number, down: number) => Rgb | null,
  ): void {
    const [left, top] = [toPixel(x), toPixel(y)]
    const [right, bottom] = [
      Math.max(left + 1, toPixel(x + width)),
      Math.max(top + 1, toPixel(y + height)),
    ]
    for (let py = top; py < bottom; py++) {
      for (let px = left; px < right; px++) {
        const colour = colourAt(
          (px + 0.5 - left) / (right - left),
          (py + 0.5 - top) / (bottom - top),
        )
        if (colour !== null) this.blend(px, py, colour, 1)
      }
    }
  }

  /** With round ends and joints, smooth at the edges. */
  line(points: readonly number[], width: number, colour: Rgb, opacity = 1): void {
    const half = (width * SCALE) / 2
    for (let i = 0; i + 3 < points.length; i += 2) {
      const [x0, y0, x1, y1] = points.slice(i, i + 4).map((each) => (each + MARGIN) * SCALE)
      if (![x0, y0, x1, y1].every(Number.isFinite)) continue
      const reach = half + 1
      const [left, right] = [
        Math.floor(Math.min(x0, x1) - reach),
        Math.ceil(Math.max(x0, x1) + reach),
      ]
      const [top, bottom] = [
        Math.floor(Math.min(y0, y1) - reach),
        Math.ceil(Math.max(y0, y1) + reach),
      ]
      for (let py = top; py < bottom; py++) {
        for (let px = left; px < right; px++) {
          const gap = distance(px + 0.5, py + 0.5, x0, y0, x1, y1)
          const covered = Math.min(1, Math.max(0, half + 0.5 - gap))
          if (covered > 0) this.blend(px, py, colour, covered * opacity)
        }
      }
    }
  }

  /** Fills a closed line, by the parity of crossings. */
  fill(points: readonly number[], colour: Rgb): void {
    const xs = points.filter((_, i) => i % 2 === 0).map((x) => (x + MARGIN) * SCALE)
    const ys = points.filter((_, i) => i % 2 === 1).map((y) => (y + MARGIN) * SCALE)
    const [top, bottom] = [Math.floor(Math.min(...ys)), Math.ceil(Math.max(...ys))]
    for (let py = top; py < bottom; py++) {
      const crossings: number[] = []
      for (let i = 0; i < xs.length; i++) {
        const j = (i + 1) % xs.length
        if (ys[i] <= py + 0.5 === ys[j] <= py + 0.5) continue
        crossings.push(xs[i] + ((py + 0.5 - ys[i]) / (ys[j] - ys[i])) * (xs[j] - xs[i]))
      }
      crossings.sort((a, b) => a - b)
      for (let k = 0; k + 1 < crossings.length; k += 2)
        for (let px = Math.round(crossings[k]); px < Math.round(crossings[k + 1]); px++)
          this.blend(px, py, colour, 1)
    }
  }

  private blend(x: number, y: number, colour: Rgb, share: number): void {
    if (x < 0 || y < 0 || x >= this.width || y >= this.height) return
    const at = 3 * (y * this.width + x)
    for (let k = 0; k < 3; k++)
      this.pixels[at + k] = Math.round(
        this.pixels[at + k] + share * (colour[k] - this.pixels[at + k]),
      )
  }
}

function toPixel(value: number): number {
  return Math.round((value + MARGIN) * SCALE)
}

/** The distance from a point to a segment. */
function distance(px: number, py: number, x0: number, y0: number, x1: number, y1: number): number {
  const [dx, dy] = [x1 - x0, y1 - y0]
  const length = dx * dx + dy * dy
  const along =
    length === 0 ? 0 : Math.min(1, Math.max(0, ((px - x0) * dx + (py - y0) * dy) / length))
  return Math.hypot(px - x0 - along * dx, py - y0 - along * dy)
}
