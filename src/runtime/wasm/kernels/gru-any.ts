/**
 * Any GRU, in WebAssembly: in either direction, wherever its ports lead, and where the reset comes
 * before the product as well, so that U·(r ⊙ h) needs r of all units.
 */

import { type GruKernel, isSmall } from '../../layers/gru.ts'
import { LANES, padded } from '../../plan.ts'
import { overUnits, rowsOf } from './cell.ts'
import { writeConnected } from './connected.ts'
import { cellOf, GATES, type GruShape, gateOf, R, writeSums } from './gru.ts'
import { writeGruBlock } from './gru-block.ts'
import { addProducts, type Part, partsOf } from './gru-products.ts'
import type { Entry, Routine, Site } from './kernel.ts'
import { advance, hold, type Pointer, pointer, repeat, VECTOR } from './lanes.ts'
import type { Cell } from './recurrent.ts'

export function writeAnyGru(site: Site, kernel: GruKernel, entry: Entry): Routine {
  if (entry === 'step' || isSmall(kernel, site.plan.precision))
    return writeConnected(site, kernel, gruCell(site, kernel), entry)
  return writeGruBlock(site, kernel, kernel.resetAfter ? null : writeReset(site, kernel))
}

export function gruCell(site: Site, kernel: GruKernel): Cell {
  const write = kernel.resetAfter ? writeSums : writeSumsBefore
  return cellOf(site, kernel, write(site, kernel))
}

/** The sums of a cell, as those of `gru.ts`: hn is brn + Un·(r ⊙ h). */
function writeSumsBefore(site: Site, shape: GruShape): Routine {
  const { features, units } = shape
  const reset = writeReset(site, shape)
  const [onInputs, onStates, onResetStates] = partsOf(shape)
  return site.func(`gru ${features} to ${units}: sums`, (k, panels, biases, x, h, out, pre) => {
    const products = (parts: readonly (readonly [Part, Pointer[]])[]): void =>
      overUnits(k, rowsOf(shape), GATES, panels, (block) => {
        const [own, to] = [pre, out].map(block.part)
        addProducts(block, biases, [{ pre: own, out: to }], parts)
      })
    products([
      [onInputs, [x]],
      [onStates, [h]],
    ])
    k.f.call(reset, pre, h)
    products([[onResetStates, [pointer(k, pre, R * k.bytes * padded(units))]]])
  })
}

/** (pre, h): r of [z|r|n] becomes σ(r) ⊙ h. */
function writeReset({ func }: Site, shape: GruShape): Routine {
  const { units } = shape
  return func(`gru ${units}: reset`, (k, pre, h) => {
    const { float, v128 } = k.f
    const r = pointer(k, pre, R * k.bytes * padded(units))
    repeat(k, (padded(units) / LANES) * k.parts, () => {
      const gate = gateOf(k, shape, hold(k, v128.load(0, r)))
      v128.store(0, r, float.mul(gate, v128.load(0, h)))
      for (const each of [r, h]) advance(k, each, VECTOR)
    })
  })
}
