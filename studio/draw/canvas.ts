/** Draws matrices and lines on a canvas. */

import { NOTHING, type Palette } from './palette.ts'

/**
 * Draws a matrix, one pixel for each number, row 0 on top. The page enlarges it without smoothing.
 * @param at the value in a row and a column.
 */
export function drawMatrix(
  canvas: HTMLCanvasElement,
  rows: number,
  columns: number,
  at: (row: number, column: number) => number,
  palette: Palette,
): void {
  // Setting the size clears the canvas and costs a layout, even where it stays the same.
  if (canvas.width !== columns) canvas.width = columns
  if (canvas.height !== rows) canvas.height = rows
  const context = canvas.getContext('2d')
  if (context === null) return
  const image = context.createImageData(columns, rows)
  const pixels = new Uint32Array(image.data.buffer)
  const { low, high } = palette
  const scale = 255 / (high - low)
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const index = Math.round((at(row, column) - low) * scale)
      // NaN fails all comparisons.
      pixels[row * columns + column] =
        index >= 255
          ? palette.packed[255]
          : index >= 0
            ? palette.packed[index]
            : index < 0
              ? palette.packed[0]
              : NOTHING
    }
  }
  context.putImageData(image, 0, 0)
}

export interface Line {
  readonly colour: string
  readonly dash: readonly number[]
  readonly width: number
  /** One value for each column; NaN leaves a gap. */
  readonly mean: (column: number) => number
  readonly min: (column: number) => number
  readonly max: (column: number) => number
}

/** Sizes a canvas to its place on the page and returns its cleared context in CSS pixels. */
export function prepare(
  canvas: HTMLCanvasElement,
): { context: CanvasRenderingContext2D; width: number; height: number } | null {
  const { clientWidth: width, clientHeight: height } = canvas
  const context = canvas.getContext('2d')
  if (context === null || width === 0) return null
  const ratio = Math.min(devicePixelRatio, 2)
  const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)]
  if (canvas.width !== w) canvas.width = w
  if (canvas.height !== h) canvas.height = h
  context.setTransform(ratio, 0, 0, ratio, 0, 0)
  context.clearRect(0, 0, width, height)
  return { context, width, height }
}

/** Draws lines over columns; where a column holds several steps, their range is shaded. */
export function drawLines(
  canvas: HTMLCanvasElement,
  columns: number,
  [low, high]: readonly [number, number],
  lines: readonly Line[],
  grid: { readonly colour: string; readonly at: readonly number[] },
): void {
  const prepared = prepare(canvas)
  if (prepared === null) return
  const { context, width, height } = prepared
  const x = (column: number): number => ((column + 0.5) * width) / columns
  const y = (value: number): number => 3 + ((high - value) / (high - low)) * (height - 6)
  context.strokeStyle = grid.colour
  context.lineWidth = 1
  context.setLineDash([])
  for (const value of grid.at) {
    context.beginPath()
    context.moveTo(0, y(value))
    context.lineTo(width, y(value))
    context.stroke()
  }
  for (const { colour, dash, width: thickness, mean, min, max } of lines) {
    context.strokeStyle = colour
    context.fillStyle = colour
    context.globalAlpha = 0.25
    for (let column = 0; column < columns; column++) {
      const [a, b] = [y(max(column)), y(min(column))]
      if (b - a > 1) context.fillRect(x(column) - width / columns / 2, a, width / columns, b - a)
    }
    context.globalAlpha = 1
    context.lineWidth = thickness
    context.setLineDash([...dash])
    context.beginPath()
    let open = false
    for (let column = 0; column < columns; column++) {
      const value = mean(column)
      const alone = !open && !(column + 1 < columns && !Number.isNaN(mean(column + 1)))
      if (Number.isNaN(value)) open = false
      else if (alone) {
        // A single step is drawn as long as its column.
        context.moveTo(x(column - 0.5), y(value))
        context.lineTo(x(column + 0.5), y(value))
      } else if (open) context.lineTo(x(column), y(value))
      else {
        context.moveTo(x(column), y(value))
        open = true
      }
    }
    context.stroke()
  }
}
