/**
 * Writes a tile of rows of a large GRU over a chunk of steps: some steps are projected at a time,
 * and then taken one by one. The order of copies is that of `js/steps.ts`.
 *
 * A step of one row is bound by loading weights. With several inputs there is more to do with a weight
 * once it is loaded: W meets those of several steps before the recurrence begins, and U the states of
 * all rows. The weights of a few vectors stay in the first cache, and two inputs at once make a loaded
 * weight serve twice. docs/performance.md has the figures.
 */

import type { GruKernel } from '../../plan/kernels.ts'
import { isSmall } from '../../plan/layers/gru.ts'
import { PROJECTED_STEPS, padded } from '../../plan/types.ts'
import { overUnits, rowsOf, type Strip } from './cell.ts'
import type { CodegenContext, Entry, Routine } from './context.ts'
import {
  address,
  advance,
  copyNumbers,
  type Emitter,
  type Pointer,
  pointer,
  repeatFor,
} from './emitter.ts'
import { writeFinish, writeGru, writeReset } from './gru.ts'
import { addProducts, GATES, type GruShape, type Part, partsOf, R, type Sums } from './gru-sums.ts'

/** `writeGru`, and blocks that load weights less often where loading takes long. */
export function writeGruOfAnySize(
  context: CodegenContext,
  kernel: GruKernel,
  entry: Entry,
): Routine {
  return entry !== 'block' || isSmall(kernel, context.plan.precision)
    ? writeGru(context, kernel, entry)
    : writeBlock(context, kernel)
}

function writeBlock(context: CodegenContext, kernel: GruKernel): Routine {
  const reset = kernel.resetAfter ? null : writeReset(context, kernel)
  const { func, plan, config } = context
  const lanes = padded(kernel.units)
  const { offsets, scratch, steps: most } = plan.block
  const { bytes } = config
  const [xBytes, outBytes] = [padded(kernel.features), lanes].map((n) => bytes * n)
  const preBytes = GATES * outBytes
  const [outRow, preRow] = [most * outBytes, PROJECTED_STEPS * preBytes]
  const stateRow = bytes * plan.stateStride
  const finish = writeFinish(context, kernel)
  const strides = [
    { pre: preBytes, out: 0, xRow: most * xBytes, preRow },
    { pre: preRow, out: outRow, xRow: 0, preRow: 0 },
  ]
  const [onInputs, onStates, onResetStates] = partsOf(kernel).map((part, i) =>
    writeProducts(context, kernel, part, strides[Math.min(i, 1)]),
  )
  const way = kernel.direction === 'forward' ? 1 : -1
  return func(`gru ${kernel.units}: block`, (k, frame, state, rows, steps, start) => {
    const { f } = k
    const { i32, local } = f
    const at = (offset: number): Pointer => pointer(k, frame, bytes * offset)
    /** For each row: where its vectors lie, of those that begin here and follow each other so. */
    const eachRow = (
      vectors: readonly (readonly [first: Pointer, stride: number | Pointer])[],
      body: (...at: Pointer[]) => void,
    ): void => {
      const each = vectors.map(([first]) => pointer(k, first))
      repeatFor(k, rows, () => {
        body(...each)
        vectors.forEach(([, stride], i) => local.set(each[i], i32.add(each[i], stride)))
      })
    }
    const copy = (to: Pointer, from: Pointer): void => copyNumbers(k, to, from, lanes)
    const states = pointer(k, state, bytes * kernel.state)
    const own = [states, stateRow] as const
    const valueRows = (value: number) => [at(offsets[value]), outBytes] as const
    const { initialState } = kernel
    if (initialState !== undefined) f.if(start, () => eachRow([own, valueRows(initialState)], copy))

    const [panels, biases] = [kernel.panels, kernel.biases].map((at) => address(k, at))
    const [pre, x, out] = [scratch, offsets[kernel.x], offsets[kernel.sequence]].map(at)
    const [h, hStride, left, count] = ['i32', 'i32', 'i32', 'i32'].map(() => local('i32'))
    // A backward layer begins at the end, and its projections lie in the order of its steps.
    if (way < 0) {
      local.set(count, i32.sub(steps, 1))
      local.set(x, i32.add(x, i32.mul(count, xBytes)))
      local.set(out, i32.add(out, i32.mul(count, outBytes)))
    }
    local.set(h, states)
    local.set(hStride, stateRow)
    local.set(left, steps)
    f.loop((nextSteps) => {
      local.set(count, PROJECTED_STEPS)
      f.if(i32.lt_u(left, PROJECTED_STEPS), () => local.set(count, left))
      f.call(onInputs, panels, biases, x, pre, out, way * xBytes, count, rows)
      local.set(x, i32.add(x, i32.mul(count, way * xBytes)))
      local.set(left, i32.sub(left, count))

      const p = pointer(k, pre)
      repeatFor(k, count, () => {
        const [preRows, hRows] = [[p, preRow] as const, [h, hStride] as const]
        f.call(onStates, panels, biases, h, p, out, hStride, rows, 1)
        if (reset !== null) {
          eachRow([preRows, hRows], (...each) => f.call(reset, ...each))
          const r = pointer(k, p, R * outBytes)
          f.call(onResetStates, panels, biases, r, p, out, preRow, rows, 1)
        }
        eachRow([preRows, hRows, [out, outRow]], (...each) => f.call(finish, ...each))
        local.set(h, out)
        local.set(hStride, outRow)
        advance(k, out, way * outBytes)
        advance(k, p, preBytes)
      })
      f.br_if(nextSteps, left)
    })

    // What the last step left is the state, and every row's last output.
    eachRow([own, [h, outRow]], copy)
    for (const value of [kernel.last, kernel.finalState])
      if (value >= 0) eachRow([valueRows(value), own], copy)
  })
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
function writeProducts(
  { func }: CodegenContext,
  shape: GruShape,
  part: Part,
  strides: Strides,
): Routine {
  return func(
    `gru ${shape.units}: products`,
    (k, panels, biases, x, pre, out, xStride, count, rows) => {
      const { i32, local } = k.f
      const firstOf = ({ part }: Strip): Input => ({
        x: pointer(k, x),
        pre: part(pre),
        out: part(out),
      })
      const addFor = (strip: Strip, inputs: readonly Input[]): void =>
        addProducts(strip, biases, inputs, [[part, inputs.map((input) => input.x)]])
      const one = (): void =>
        overUnits(k, rowsOf(shape), GATES, panels, (strip) => addFor(strip, [firstOf(strip)]))
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
          (strip) => {
            const row = firstOf(strip)
            repeatFor(k, rows, () => {
              const input = copy(k, row)
              inPairs(
                k,
                count,
                () => {
                  const next = copy(k, input)
                  moveOn(next)
                  addFor(strip, [input, next])
                  moveOn(input)
                  moveOn(input)
                },
                () => addFor(strip, [input]),
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

function copy(k: Emitter, { x, pre, out }: Input): Input {
  return { x: pointer(k, x), pre: pointer(k, pre), out: pointer(k, out) }
}

/** Code for two inputs at once as often as there are two, and then for the one that may be left. */
function inPairs(k: Emitter, count: Pointer, two: () => void, one: () => void): void {
  const { f } = k
  const pairs = f.local('i32')
  f.local.set(pairs, f.i32.shr_u(count, 1))
  f.if(pairs, () => repeatFor(k, pairs, two))
  f.if(f.i32.and(count, 1), one)
}
