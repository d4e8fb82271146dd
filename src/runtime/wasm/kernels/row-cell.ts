/** The cell of a recurrent layer for whoever goes through rows and steps by himself (`mixed.ts`). */

import type { RecurrentKernel } from '../../layer.ts'
import { type KernelFuncs, once, type RowFunc, type Site } from './kernel.ts'
import { pointer, writing } from './lanes.ts'
import { type Cell, writeRecurrent } from './recurrent.ts'

/** A layer's functions, and its cell besides. */
export function withRowCell<K extends RecurrentKernel>(
  cellOf: (site: Site, kernel: K) => Cell,
  write = (site: Site, kernel: K): KernelFuncs =>
    writeRecurrent(site, kernel, cellOf(site, kernel)),
): (site: Site, kernel: K) => KernelFuncs {
  return (site, kernel) => ({
    ...write(site, kernel),
    cell: once(() => writeRowCell(site, kernel, cellOf(site, kernel))),
  })
}

function writeRowCell(
  { module, target }: Site,
  { node, cell: offset }: RecurrentKernel,
  { parts }: Cell,
): RowFunc {
  return module.func(
    { name: `${node}: cell`, params: ['i32', 'i32', 'i32', 'i32', 'i32'] },
    (f, x, h, out, scratch, states) => {
      const k = writing(target, f)
      const own = offset < 0 ? scratch : pointer(k, states, k.bytes * offset)
      for (const part of parts) part(k, { x, h, out, own })
    },
  )
}
