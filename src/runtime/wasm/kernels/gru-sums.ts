/**
 * Writes a GRU's products with one input or two, in the order of `js/gru.ts`. A weight that was
 * loaded serves every input; what is summed in which order stays the same, and with it every bit.
 */

import type { GruKernel } from '../../plan/kernels.ts'
import { type Strip, starts, sumsOf } from './cell.ts'
import { accumulate, type Pointer, pointer, VECTOR, type Vector } from './emitter.ts'

/** What the code of a GRU depends on. */
export type GruShape = Pick<
  GruKernel,
  'features' | 'units' | 'resetAfter' | 'update' | 'activation' | 'recurrentActivation' | 'clip'
>

export const GATES = 3

/** The sums of a unit, in the order of the biases; n and hn meet the same weights. */
export const [Z, R, N, HN] = [0, 1, 2, 3]

/** A part of the products: which rows of a panel meet a vector, and which sums take them. */
export interface Part {
  readonly first: number
  readonly rows: number
  readonly sums: readonly number[]
}

/** W·x of all gates, and then U·h: of n alone in the end where the reset, which needs r, comes before. */
export function partsOf({ features, units, resetAfter }: GruShape): readonly Part[] {
  return [
    { first: 0, rows: features, sums: [Z, R, N] },
    ...(resetAfter ? [[Z, R, HN]] : [[Z, R], [HN]]).map((sums) => ({
      first: features,
      rows: units,
      sums,
    })),
  ]
}

/** Where the sums of an input begin, at the strip's part: [z|r|n], and U·h + brn. */
export interface Sums {
  readonly pre: Pointer
  readonly out: Pointer
}

/**
 * Adds the products of one input or two, part after part, each with vectors of its own. A sum starts
 * at its bias, or with what it has come to; `pre` and `out` begin at the strip's part.
 */
export function addProducts(
  strip: Strip,
  biases: Pointer,
  inputs: readonly Sums[],
  parts: readonly (readonly [Part, readonly Pointer[]])[],
): void {
  const { f, row, width } = strip
  const b = strip.part(biases)
  const accs: Vector[][][] = []
  parts.forEach(([{ first, rows, sums }, vectors], i) => {
    for (const s of sums) {
      const fresh = first === 0 || s === HN
      accs[s] ??= inputs.map(({ pre }) => starts(strip, fresh ? b : pre, s))
    }
    accumulate(
      strip,
      sums.flatMap((s) => sumsOf(strip, accs[s], Math.min(s, N))),
      pointer(strip, strip.w, first * row),
      row,
      vectors.map((x) => pointer(strip, x)),
      rows,
    )
    for (const s of sums) {
      if (parts[i + 1]?.[0].sums.includes(s)) continue
      inputs.forEach(({ pre, out }, m) => {
        const [to, at] = s === HN ? [out, 0] : [pre, s * width]
        accs[s][m].forEach((acc, v) => f.v128.store(at + v * VECTOR, to, acc))
      })
    }
  })
}
