/**
 * How the weights of a recurrent layer lie in memory: [vector of 4 units][rows of W, then rows of
 * U][gates][4 lanes], so that one step reads them from front to back, and biases [gates][units].
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

/** Numbers of all panels. */
export function panelsSize(features: number, units: number, gates: number): number {
  return (features + units) * gates * padded(units)
}

/** Writes W and U, each as one array for each gate in the order of the panels. */
export function packPanels(
  kernel: readonly Tensor[],
  recurrentKernel: readonly Tensor[],
  at: Panels,
  memory: Memory,
): void {
  packRows(kernel, at.features, 0, at, memory)
  packRows(recurrentKernel, at.units, at.features, at, memory)
}

function packRows(
  arrays: readonly Tensor[],
  rows: number,
  first: number,
  { features, units, panels }: Panels,
  memory: Memory,
): void {
  const row = arrays.length * LANES
  for (let u = 0; u < units; u++) {
    const vector = panels + Math.floor(u / LANES) * (features + units) * row + (u % LANES)
    for (let i = 0; i < rows; i++) {
      const at = vector + (first + i) * row
      for (let gate = 0; gate < arrays.length; gate++)
        memory[at + gate * LANES] = arrays[gate].data[i * units + u]
    }
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
