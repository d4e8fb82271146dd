/** Pictures as plain data: shapes in pixels, drawn as SVG or as PNG. */

/** A colour by its purpose; SVG and PNG choose the actual colour, for light and dark pages. */
export type Ink = 'text' | 'muted' | 'grid' | 'line' | 'band' | 'warn' | 'mark'

/** Cells of one colour each. */
export interface Raster {
  readonly columns: number
  readonly rows: number
  /** Row by row, an entry of the palette; 0 is transparent. */
  readonly cells: Uint8Array
  /** [r, g, b] of each entry, 0–255. The first is not used. */
  readonly palette: readonly (readonly [number, number, number])[]
}

export type Mark =
  | {
      readonly kind: 'rect'
      readonly x: number
      readonly y: number
      readonly width: number
      readonly height: number
      readonly ink: Ink
    }
  | {
      readonly kind: 'frame'
      readonly x: number
      readonly y: number
      readonly width: number
      readonly height: number
    }
  | {
      readonly kind: 'line'
      /** x, y, x, y …; a pair that is not a number lifts the pen. */
      readonly points: readonly number[]
      readonly ink: Ink
      readonly width: number
      readonly dashed?: boolean
    }
  | { readonly kind: 'area'; readonly points: readonly number[]; readonly ink: Ink }
  | {
      readonly kind: 'dot'
      readonly x: number
      readonly y: number
      readonly radius: number
      readonly ink: Ink
    }
  | {
      readonly kind: 'text'
      readonly x: number
      /** Of the baseline. */
      readonly y: number
      readonly text: string
      readonly size: number
      readonly ink: Ink
      readonly anchor: 'start' | 'middle' | 'end'
      readonly bold?: boolean
    }
  | {
      readonly kind: 'image'
      readonly x: number
      readonly y: number
      readonly width: number
      readonly height: number
      readonly raster: Raster
    }

export interface Scene {
  readonly width: number
  readonly height: number
  /** Text alternatives: what it is, and what it shows. */
  readonly title: string
  readonly description: string
  readonly marks: readonly Mark[]
}

/** One below the other, left-aligned. */
export function stack(
  title: string,
  description: string,
  scenes: readonly Scene[],
  gap = 20,
): Scene {
  let y = 0
  const marks = scenes.flatMap((scene) => {
    const moved = scene.marks.map((mark) => shift(mark, 0, y))
    y += scene.height + gap
    return moved
  })
  const width = Math.max(...scenes.map((scene) => scene.width))
  return { width, height: Math.max(y - gap, 1), title, description, marks }
}

/** The mark moved by dx and dy. */
export function shift(mark: Mark, dx: number, dy: number): Mark {
  if (mark.kind === 'line' || mark.kind === 'area')
    return { ...mark, points: mark.points.map((each, i) => each + (i % 2 === 0 ? dx : dy)) }
  return { ...mark, x: mark.x + dx, y: mark.y + dy }
}

/** A number for axes and texts: short, never `1.2000000000000002`. */
export function short(value: number): string {
  if (value === 0) return '0'
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'NaN' : value > 0 ? '∞' : '−∞'
  const size = Math.abs(value)
  const text =
    size >= 1e6 || size < 1e-3
      ? value.toExponential(Math.abs(size / 10 ** Math.round(Math.log10(size)) - 1) < 1e-9 ? 0 : 1)
      : String(Number(value.toPrecision(3)))
  return text.replaceAll('-', '−').replace('e+', 'e')
}
