/** Recurrent layers in either direction, wherever their ports lead, in WebAssembly. */

import type { RecurrentKernel } from '../../layer.ts'
import type { Entry, Routine, Site } from './kernel.ts'
import { pointer } from './lanes.ts'
import { stateAt, type Vectors, valueAt, type Write, writeOverFrame } from './over-frame.ts'
import { type Cell, copying, H, OWN, recurrentLayer } from './recurrent.ts'

export function writeConnected(
  site: Site,
  kernel: RecurrentKernel,
  cell: Cell,
  entry: Entry,
): Routine {
  const { plan } = site
  const layer = recurrentLayer(plan, kernel, cell)
  const vectors = [...layer.vectors]
  if (kernel.cell !== undefined) vectors[OWN] = stateAt(plan, kernel.cell)
  const copy = copying(kernel)
  /** The place among the vectors of a value that is there. */
  const add = (value: number | undefined): readonly number[] =>
    value === undefined ? [] : [vectors.push(valueAt(plan, value)) - 1]
  const arrivals: readonly Write[] = [
    ...add(kernel.initialState).map((value) => copy(H, value)),
    ...add(kernel.initialCell).map((value) => copy(OWN, value)),
  ]
  const leave = [...(layer.leave ?? []), ...add(kernel.finalCell).map((value) => copy(value, OWN))]
  const forward = kernel.direction === 'forward'
  return writeOverFrame(
    site,
    {
      ...layer,
      vectors: forward ? vectors : vectors.map(backward),
      leave,
      begin(k, first, steps, starts, eachRow) {
        for (const write of arrivals) k.f.if(starts, () => eachRow(write))
        if (forward) return
        const { i32, local } = k.f
        const before = pointer(k, steps, -1)
        vectors.forEach(({ perStep }, i) => {
          if (perStep !== 0)
            local.set(first[i], i32.add(first[i], i32.mul(before, k.bytes * perStep)))
        })
      },
    },
    entry,
  )
}

/** From the last step to the first. */
function backward(each: Vectors): Vectors {
  return { ...each, perStep: -each.perStep }
}
