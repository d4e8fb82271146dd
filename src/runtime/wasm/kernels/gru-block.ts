/**
 * A tile of rows of a GRU over a chunk of steps, in WebAssembly: some steps are projected at a time,
 * and then taken one by one. The order of copies is that of `js/steps.ts`.
 */

import type { GruKernel } from '../../layers/gru.ts'
import { PROJECTED_STEPS, padded } from '../../plan.ts'
import { GATES, type GruShape } from './gru.ts'
import { tileFuncs } from './gru-tile.ts'
import type { BlockFunc, Site } from './kernel.ts'
import { advance, copyNumbers, type Pointer, pointer, writing } from './lanes.ts'
import { address } from './vector-map.ts'

export function writeGruBlock(site: Site, kernel: GruKernel, shape: GruShape): BlockFunc {
  const { module, plan, target } = site
  const lanes = padded(kernel.units)
  const { offsets, scratch, steps: most } = plan.block
  const { bytes } = target
  const [xBytes, outBytes] = [padded(kernel.features), lanes].map((n) => bytes * n)
  const preBytes = GATES * outBytes
  const [outRow, preRow] = [most * outBytes, PROJECTED_STEPS * preBytes]
  const strides = { x: xBytes, pre: preBytes, xRow: most * xBytes, preRow, outRow }
  const { project, recur } = tileFuncs(site, shape, strides)
  const way = kernel.direction === 'forward' ? 1 : -1
  return module.func(
    { name: `${kernel.node}: block`, params: ['i32', 'i32', 'i32', 'i32', 'i32'] },
    (f, frame, state, rows, steps, start) => {
      const k = writing(target, f)
      const { i32, local } = f
      const at = (offset: number): Pointer => pointer(k, frame, bytes * offset)
      const states = pointer(k, state, bytes * kernel.state)
      const pre = at(scratch)
      const [panels, biases] = [kernel.panels, kernel.biases].map((at) => address(k, at))
      /** For each row: a vector of a value, and the row's state. */
      const eachRow = (value: number, body: (vector: Pointer, h: Pointer) => void): void => {
        if (value < 0) return
        const [vector, h, left] = [at(offsets[value]), pointer(k, states), local('i32')]
        local.set(left, rows)
        f.loop((next) => {
          body(vector, h)
          advance(k, vector, outBytes)
          advance(k, h, bytes * plan.stateStride)
          f.br_if(next, local.tee(left, i32.sub(left, 1)))
        })
      }
      f.if(start, () =>
        eachRow(kernel.initialState, (vector, h) => copyNumbers(k, h, vector, lanes)),
      )

      const [h, hStride, left, count] = ['i32', 'i32', 'i32', 'i32'].map(() => local('i32'))
      const [x, out] = [at(offsets[kernel.x]), at(offsets[kernel.sequence])]
      // A backward layer begins at the end, with the last steps of the chunk.
      if (way < 0) {
        local.set(x, i32.add(x, i32.mul(steps, xBytes)))
        local.set(out, i32.add(out, i32.mul(i32.sub(steps, 1), outBytes)))
      }
      local.set(h, states)
      local.set(hStride, bytes * plan.stateStride)
      local.set(left, steps)
      f.loop((nextSteps) => {
        local.set(count, i32.const(PROJECTED_STEPS))
        f.if(i32.lt_u(left, PROJECTED_STEPS), () => local.set(count, left))
        if (way < 0) local.set(x, i32.sub(x, i32.mul(count, xBytes)))
        f.call(project, panels, biases, x, pre, count, rows)
        if (way > 0) local.set(x, i32.add(x, i32.mul(count, xBytes)))
        local.set(left, i32.sub(left, count))

        const p = pointer(k, pre)
        if (way < 0) local.set(p, i32.add(p, i32.mul(i32.sub(count, 1), preBytes)))
        f.loop((nextStep) => {
          f.call(recur, panels, biases, p, h, hStride, out, rows)
          local.set(h, out)
          local.set(hStride, i32.const(outRow))
          advance(k, out, way * outBytes)
          advance(k, p, way * preBytes)
          f.br_if(nextStep, local.tee(count, i32.sub(count, 1)))
        })
        f.br_if(nextSteps, left)
      })

      // What the last step left is the state, and every row's last output.
      const [from, to, row] = [pointer(k, h), pointer(k, states), local('i32')]
      local.set(row, rows)
      f.loop((next) => {
        copyNumbers(k, to, from, lanes)
        advance(k, to, bytes * plan.stateStride)
        advance(k, from, outRow)
        f.br_if(next, local.tee(row, i32.sub(row, 1)))
      })
      for (const value of [kernel.last, kernel.finalState])
        eachRow(value, (vector, h) => copyNumbers(k, vector, h, lanes))
    },
  )
}
