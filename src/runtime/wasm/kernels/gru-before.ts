/** A GRU whose reset comes before the product, in WebAssembly: U·(r ⊙ h) needs r of all units. */

import { LANES, padded } from '../../plan.ts'
import { overUnits, rowsOf } from './cell.ts'
import { GATES, type GruShape, gateOf, R } from './gru.ts'
import { addProducts, type Part, partsOf } from './gru-products.ts'
import type { Routine, Site } from './kernel.ts'
import { advance, hold, type Pointer, pointer, repeat, VECTOR } from './lanes.ts'

/** The sums of a cell, as those of `gru.ts`: hn is brn + Un·(r ⊙ h). */
export function writeSumsBefore(site: Site, shape: GruShape): Routine {
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
export function writeReset({ func }: Site, shape: GruShape): Routine {
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
