/**
 * How the weights of a recurrent layer lie in memory: [panel][rows of W, then rows of U][groups of
 * the panel][gates][4 lanes], so that one step reads them from front to back, and biases
 * [gates][units]. A panel holds the weights of twelve sums side by side: so many fit in registers,
 * and what they read at a time is one run of memory.
 */

import type { Tensor } from '../../tensor.ts'
import type { Memory } from '../js/ops.ts'
import { LANES, padded } from '../plan.ts'

export interface Panels {
  readonly features: number
  readonly units: number
  /** Offset in the weights. */
  readonly panels: number
}

/** Sums, of a gate and four units each, whose weights a panel holds at most. */
const PANEL_SUMS = 12

/** Groups of four units that a panel holds at most. */
export function panelGroups(gates: number): number {
  return Math.floor(PANEL_SUMS / gates)
}

/**
 * Units of the panel that comes next when so many are left, padded: panels are as even as can be.
 * 68 units of a GRU are two panels of 16 and three of 12.
 */
export function panelUnits(left: number, gates: number): number {
  const groups = left / LANES
  return LANES * Math.ceil(groups / Math.ceil(groups / panelGroups(gates)))
}

/** Numbers of all panels. */
export function panelsSize(features: number, units: number, gates: number): number {
  return (features + units) * gates * padded(units)
}

/** Writes W and U, each as one array for each gate in the order of the panels. */
export function packPanels(
  kernel: readonly Tensor[],
  recurrentKernel: readonly Tensor[],
  { features, units, panels }: Panels,
  memory: Memory,
): void {
  const gates = kernel.length
  const lanes = padded(units)
  let panel = panels
  for (let u = 0; u < lanes; ) {
    const width = panelUnits(lanes - u, gates)
    const row = gates * width
    for (let gate = 0; gate < gates; gate++) {
      for (let v = 0; v < width; v += LANES) {
        const at = panel + v * gates + gate * LANES
        packColumn(kernel[gate].data, u + v, units, features, memory, at, row)
        packColumn(
          recurrentKernel[gate].data,
          u + v,
          units,
          units,
          memory,
          at + features * row,
          row,
        )
      }
    }
    panel += (features + units) * row
    u += width
  }
}

/** Weights of four units, from all rows, `stride` apart. This is what takes time: a loop of numbers alone is soon fast code. */
export function packColumn(
  data: Tensor['data'],
  from: number,
  units: number,
  rows: number,
  memory: Memory,
  to: number,
  stride: number,
): void {
  const count = Math.min(LANES, units - from)
  for (let lane = 0; lane < count; lane++) {
    for (let i = 0, a = from + lane, b = to + lane; i < rows; i++, a += units, b += stride)
      memory[b] = data[a]
  }
}

/**
 * Writes bi + br of a gate, zeros where there is neither. The sum is taken in float64 and rounded
 * once, on its way into memory.
 */
export function packBias(
  memory: Memory,
  at: number,
  units: number,
  input: Tensor | null | undefined,
  recurrent: Tensor | null | undefined,
): void {
  for (let u = 0; u < units; u++) memory[at + u] = (input?.data[u] ?? 0) + (recurrent?.data[u] ?? 0)
}
