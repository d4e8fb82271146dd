/** Lays out the boxes of a graph in columns, by their distance from the inputs. */

import type { ModelInfo } from '../engine/protocol.ts'
import * as show from '../show.ts'

interface Box {
  readonly id: string
  readonly x: number
  readonly y: number
  readonly w: number
  readonly h: number
  readonly title: string
  readonly note: string
  /** Whether it is a cell that can be shown. */
  readonly cell: boolean
}

interface GraphWire {
  readonly d: string
  readonly x: number
  readonly y: number
  /** Whether the label ends at x rather than begins there. */
  readonly before: boolean
  /** Empty where another wire from the same box has the label. */
  readonly label: string
}

const [W, H, GAP_Y, MARGIN] = [168, 56, 26, 12]
/** The widest letter of a label, and the smallest and largest gap between boxes. */
const [LETTER, LEAST_GAP, MOST_GAP] = [7, 100, 230]

export function layOut({ summary, edges, cells }: ModelInfo): {
  boxes: readonly Box[]
  wires: readonly GraphWire[]
  width: number
  height: number
} {
  const names = [
    ...summary.inputs.map(({ name }) => name),
    ...summary.layers.map(({ name }) => name),
    ...summary.outputs.map(({ name }) => `output ${name}`),
  ]
  // Each node reads only nodes before it.
  const column = new Map<string, number>()
  for (const name of names) {
    const before = edges.filter(({ to }) => to === name).map(({ from }) => column.get(from) ?? -1)
    column.set(name, Math.max(-1, ...before) + 1)
  }
  // Constants are placed before their first reader.
  for (const { name } of summary.layers.filter(({ kind }) => kind === 'constant')) {
    const readers = edges.filter(({ from }) => from === name).map(({ to }) => column.get(to) ?? 1)
    if (readers.length > 0) column.set(name, Math.min(...readers) - 1)
  }
  const longest = Math.max(0, ...edges.map(({ shape }) => label(shape).length))
  const gap = Math.max(LEAST_GAP, Math.min(MOST_GAP, longest * LETTER + 16))
  const filled: number[] = []
  const titles = new Map(
    summary.layers.map(({ name, kind, units }) => [
      name,
      // A scalar has no units.
      Number.isInteger(units) ? `${kind}, ${units}` : kind,
    ]),
  )
  const inputs = new Set(summary.inputs.map(({ name }) => name))
  const boxes = names.map((id): Box => {
    const at = column.get(id)!
    const line = filled[at] ?? 0
    filled[at] = line + 1
    return {
      id,
      x: MARGIN + at * (W + gap),
      y: MARGIN + line * (H + GAP_Y),
      w: W,
      h: H,
      title: cut(id.replace(/^output /, '')),
      note: titles.get(id) ?? (inputs.has(id) ? 'input' : 'output'),
      cell: cells.some(({ name }) => name === id),
    }
  })
  const byId = new Map(boxes.map((box) => [box.id, box]))
  const said = new Set<string>()
  const several = (from: string): boolean =>
    new Set(edges.filter((edge) => edge.from === from).map((edge) => label(edge.shape))).size > 1
  const wires = edges.flatMap(({ from, to, shape }): GraphWire[] => {
    const [a, b] = [byId.get(from), byId.get(to)]
    if (a === undefined || b === undefined) return []
    const [x1, y1, x2, y2] = [a.x + W, a.y + H / 2, b.x, b.y + H / 2]
    const middle = x2 - gap / 2
    // Where a box has outputs of several shapes, the labels are at the other end of the wires.
    const before = several(from)
    const key = `${from} ${before ? to : ''} ${label(shape)}`
    const silent = said.has(key)
    said.add(key)
    return [
      {
        d: `M${x1} ${y1}C${middle} ${y1} ${middle} ${y2} ${x2} ${y2}`,
        ...(before ? { x: x2 - 10, y: y2 - 8 } : { x: x1 + 6, y: y1 - 8 }),
        before,
        label: silent ? '' : label(shape),
      },
    ]
  })
  return {
    boxes,
    wires,
    width: 2 * MARGIN + Math.max(...boxes.map(({ x }) => x)) + W,
    height: 2 * MARGIN + Math.max(...boxes.map(({ y }) => y)) + H,
  }
}

function label(shape: readonly (number | string)[]): string {
  return show.shape(shape.map((dim) => `${dim}`.replaceAll('batch', 'B').replaceAll('time', 'T')))
}

function cut(name: string): string {
  return name.length > 18 ? `…${name.slice(-17)}` : name
}
