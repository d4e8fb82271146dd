/** The cell of a recurrent layer for whoever goes through rows and steps by himself (`mixed.ts`). */

import type { RecurrentKernel } from '../../layer.ts'
import type { KernelFuncs, Site } from './kernel.ts'
import { once, type RowFunc } from './kernel.ts'
import type { CellOf } from './recurrent.ts'

/** A layer's functions, and its cell besides. */
export function withRowCell<K extends RecurrentKernel>(
  write: (site: Site, kernel: K) => KernelFuncs,
  cellOf: CellOf<K>,
): (site: Site, kernel: K) => KernelFuncs {
  return (site, kernel) => ({
    ...write(site, kernel),
    cell: once(() => writeRowCell(site, kernel, cellOf(site, kernel))),
  })
}

function writeRowCell(
  { module, target: { bytes } }: Site,
  { node, panels, biases, cell }: RecurrentKernel,
  shared: ReturnType<CellOf<RecurrentKernel>>,
): RowFunc {
  return module.func(
    { name: `${node}: cell`, params: ['i32', 'i32', 'i32', 'i32', 'i32'] },
    ({ call, i32 }, x, h, out, scratch, states) => {
      const own = cell < 0 ? scratch : i32.add(states, bytes * cell)
      return call(shared, bytes * panels, bytes * biases, x, h, out, own)
    },
  )
}
