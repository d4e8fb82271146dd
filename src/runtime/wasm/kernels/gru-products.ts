/**
 * A GRU's products with several inputs, in WebAssembly, with the order of `js/gru.ts`.
 *
 * A step of one row is bound by loading weights. With several inputs there is more to do with a weight
 * once it is loaded: W meets those of several steps before the recurrence begins, and U the states of
 * all rows. The weights of a few vectors stay in the first cache, and two inputs at once make a loaded
 * weight serve twice. What is summed in which order stays the same, and with it every bit.
 */

import { type Block, overUnits } from './cell.ts'
import { addProducts, GATES, type GruShape, type Part, type Sums } from './gru-sums.ts'
import type { Routine, Site } from './kernel.ts'
import { advance, type Lanes, type Pointer, pointer, repeatFor } from './lanes.ts'

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
        overUnits(k, shape, GATES, panels, (block) => addFor(block, [firstOf(block)]))
      const moveOn = (input: Input): void => {
        local.set(input.x, i32.add(input.x, xStride))
        advance(k, input.pre, strides.pre)
        advance(k, input.out, strides.out)
      }
      const several = (): void =>
        overUnits(
          k,
          shape,
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
