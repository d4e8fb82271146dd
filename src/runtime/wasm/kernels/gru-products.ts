/**
 * A GRU's products with several inputs, in WebAssembly, with the order of `js/gru.ts`.
 *
 * A step of one row is bound by loading weights. With several inputs there is more to do with a weight
 * once it is loaded: W meets those of several steps before the recurrence begins, and U the states of
 * all rows. The weights of a few vectors stay in the first cache, and two inputs at once make a loaded
 * weight serve twice. What is summed in which order stays the same, and with it every bit.
 */

import { type Block, overUnits, rowsOf, starts, sumsOf } from './cell.ts'
import { GATES, type GruShape, HN, N, R, Z } from './gru.ts'
import type { Routine, Site } from './kernel.ts'
import {
  accumulate,
  advance,
  type Lanes,
  type Pointer,
  pointer,
  repeatFor,
  VECTOR,
  type Vector,
} from './lanes.ts'

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

/** Where the sums of an input begin, at the block's part: [z|r|n], and U·h + brn. */
export interface Sums {
  readonly pre: Pointer
  readonly out: Pointer
}

/** How vectors follow each other, in bytes: from an input to the next, and from a row to the next. */
export interface Strides {
  readonly pre: number
  readonly out: number
  readonly xRow: number
  readonly preRow: number
}

/** Where the vectors of an input begin. */
interface Input extends Sums {
  readonly x: Pointer
}

/**
 * (panels, biases, x, pre, out, bytes from one x to the next, inputs, rows of so many inputs): adds
 * to [z|r|n] of each input in `pre`; `out` becomes U·h + brn.
 */
export function writeProducts(
  { func }: Site,
  shape: GruShape,
  part: Part,
  strides: Strides,
): Routine {
  return func(
    `gru ${shape.units}: products`,
    (k, panels, biases, x, pre, out, xStride, count, rows) => {
      const { i32, local } = k.f
      const firstOf = ({ part }: Block): Input => ({
        x: pointer(k, x),
        pre: part(pre),
        out: part(out),
      })
      const addFor = (block: Block, inputs: readonly Input[]): void =>
        addProducts(block, biases, inputs, [[part, inputs.map((input) => input.x)]])
      const one = (): void =>
        overUnits(k, rowsOf(shape), GATES, panels, (block) => addFor(block, [firstOf(block)]))
      const moveOn = (input: Input): void => {
        local.set(input.x, i32.add(input.x, xStride))
        advance(k, input.pre, strides.pre)
        advance(k, input.out, strides.out)
      }
      const several = (): void =>
        overUnits(
          k,
          rowsOf(shape),
          GATES,
          panels,
          (block) => {
            const row = firstOf(block)
            repeatFor(k, rows, () => {
              const input = copy(k, row)
              inPairs(
                k,
                count,
                () => {
                  const next = copy(k, input)
                  moveOn(next)
                  addFor(block, [input, next])
                  moveOn(input)
                  moveOn(input)
                },
                () => addFor(block, [input]),
              )
              advance(k, row.x, strides.xRow)
              advance(k, row.pre, strides.preRow)
            })
          },
          k.pairVectors,
        )
      // A single row of a recurrence has all accumulators to itself.
      if (part.first === 0) several()
      else k.f.if(i32.eq(count, 1), one, several)
    },
  )
}

function copy(k: Lanes, { x, pre, out }: Input): Input {
  return { x: pointer(k, x), pre: pointer(k, pre), out: pointer(k, out) }
}

/** Code for two inputs at once as often as there are two, and then for the one that may be left. */
function inPairs(k: Lanes, count: Pointer, two: () => void, one: () => void): void {
  const { f } = k
  const pairs = f.local('i32')
  f.local.set(pairs, f.i32.shr_u(count, 1))
  f.if(pairs, () => repeatFor(k, pairs, two))
  f.if(f.i32.and(count, 1), one)
}

/**
 * Adds the products of one input or two, part after part, each with vectors of its own. A sum starts
 * at its bias, or with what it has come to; `pre` and `out` begin at the block's part.
 */
export function addProducts(
  block: Block,
  biases: Pointer,
  inputs: readonly Sums[],
  parts: readonly (readonly [Part, readonly Pointer[]])[],
): void {
  const { f, row, width } = block
  const b = block.part(biases)
  const accs: Vector[][][] = []
  parts.forEach(([{ first, rows, sums }, vectors], i) => {
    for (const s of sums) {
      const fresh = first === 0 || s === HN
      accs[s] ??= inputs.map(({ pre }) => starts(block, fresh ? b : pre, s))
    }
    accumulate(
      block,
      sums.flatMap((s) => sumsOf(block, accs[s], Math.min(s, N))),
      pointer(block, block.w, first * row),
      row,
      vectors.map((x) => pointer(block, x)),
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
