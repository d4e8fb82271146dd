/**
 * A tile of rows of a GRU over a chunk of steps, in WebAssembly: some steps are projected at a time,
 * and then taken one by one. The order of copies is that of `js/steps.ts`.
 */

import { type GruKernel, isSmall } from '../../layers/gru.ts'
import { PROJECTED_STEPS, padded } from '../../plan.ts'
import { GATES, R, writeFinish, writeGru } from './gru.ts'
import { partsOf, writeProducts } from './gru-products.ts'
import type { Entry, Routine, Site } from './kernel.ts'
import { address, advance, copyNumbers, type Pointer, pointer, repeatFor } from './lanes.ts'

/**
 * `writeGru`, and where loading weights takes long, blocks that load them less often. With the reset
 * after the product, as there; the others are in `gru-any.ts`.
 */
export function writeGruOfAnySize(site: Site, kernel: GruKernel, entry: Entry): Routine {
  return entry === 'step' || isSmall(kernel, site.plan.precision)
    ? writeGru(site, kernel, entry)
    : writeGruBlock(site, kernel, null)
}

/** @param reset (pre, h), where the reset comes before the product. */
export function writeGruBlock(site: Site, kernel: GruKernel, reset: Routine | null): Routine {
  const { func, plan, target } = site
  const lanes = padded(kernel.units)
  const { offsets, scratch, steps: most } = plan.block
  const { bytes } = target
  const [xBytes, outBytes] = [padded(kernel.features), lanes].map((n) => bytes * n)
  const preBytes = GATES * outBytes
  const [outRow, preRow] = [most * outBytes, PROJECTED_STEPS * preBytes]
  const stateRow = bytes * plan.stateStride
  const finish = writeFinish(site, kernel)
  const strides = [
    { pre: preBytes, out: 0, xRow: most * xBytes, preRow },
    { pre: preRow, out: outRow, xRow: 0, preRow: 0 },
  ]
  const [onInputs, onStates, onResetStates] = partsOf(kernel).map((part, i) =>
    writeProducts(site, kernel, part, strides[Math.min(i, 1)]),
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
