/**
 * Packs weights into panels: [panel][rows][groups of the panel][gates][4 lanes], so that one step reads
 * them from front to back, and biases into [gates][units]. The rows of a Dense layer are its inputs', those
 * of a recurrent one W's and then U's. A panel holds the weights of twelve sums side by side: so many
 * fit in registers, and what they read at a time is one run of memory.
 */

import type { Tensor } from '../../../tensor.ts'
import { LANES, type Memory, padded } from '../types.ts'

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
export function panelsSize(rows: number, units: number, gates: number): number {
  return rows * gates * padded(units)
}

/** Writes matrices [rows, units], each as one array for each gate in the order of the panels. */
export function packPanels(
  matrices: readonly (readonly Tensor[])[],
  units: number,
  panels: number,
  memory: Memory,
): void {
  const gates = matrices[0].length
  const lanes = padded(units)
  let panel = panels
  for (let u = 0; u < lanes; ) {
    const width = panelUnits(lanes - u, gates)
    const row = gates * width
    let at = panel
    for (let v = 0; v < width; v += LANES) {
      for (let gate = 0; gate < gates; gate++) {
        at = panel + v * gates + gate * LANES
        for (const matrix of matrices)
          at = packColumn(matrix[gate].data, u + v, units, memory, at, row)
      }
    }
    // Behind the last column, by a row's start: where the next panel begins.
    panel = at - (row - LANES)
    u += width
  }
}

/**
 * Weights of four units, from all rows, `stride` apart, and where the next row would begin. This is
 * what takes time: a loop of numbers alone is soon fast code.
 */
function packColumn(
  data: Tensor['data'],
  from: number,
  units: number,
  memory: Memory,
  to: number,
  stride: number,
): number {
  const count = Math.min(LANES, units - from)
  for (let lane = 0; lane < count; lane++) {
    for (let a = from + lane, b = to + lane; a < data.length; a += units, b += stride)
      memory[b] = data[a]
  }
  return to + (data.length / units) * stride
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
