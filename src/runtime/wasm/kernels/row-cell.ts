/** The cell of a recurrent layer for whoever goes through rows and steps by himself (`mixed.ts`). */

import type { RecurrentKernel } from '../../layer.ts'
import { writeConnected } from './connected.ts'
import type { KernelWriter, Site } from './kernel.ts'
import { pointer } from './lanes.ts'
import type { Cell } from './recurrent.ts'

/** A writer of the cell, and of the other entries as `write` has them. */
export function withCell<K extends RecurrentKernel>(
  cellOf: (site: Site, kernel: K) => Cell,
  write: KernelWriter<K> = (site, kernel, entry) =>
    writeConnected(site, kernel, cellOf(site, kernel), entry),
): KernelWriter<K> {
  return (site, kernel, entry) => {
    if (entry !== 'cell') return write(site, kernel, entry)
    const { parts } = cellOf(site, kernel)
    return site.func(`${kernel.kind}: cell`, (k, x, h, out, scratch, states) => {
      const own = kernel.cell === undefined ? scratch : pointer(k, states, k.bytes * kernel.cell)
      for (const part of parts) part(k, { x, h, out, own })
    })
  }
}
