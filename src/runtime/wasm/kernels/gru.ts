/**
 * The GRU layer over time, in WebAssembly: which cell runs where. The order of rows, steps and
 * copies is that of `js/gru.ts`.
 */

import type { GruKernel } from '../../js/gru.ts'
import { LANES, padded } from '../../plan.ts'
import type { Func } from '../assembler.ts'
import { type CellFunc, type CellShape, writeCell } from './gru-cell.ts'
import type { KernelFuncs, Site } from './kernel.ts'
import { advance, copyVectors, type Lanes, type Pointer, pointer } from './lanes.ts'

/** Cells by shape: layers of one shape share one. */
export type Cells = Map<string, CellFunc>

export function writeGru(site: Site, kernel: GruKernel, cells: Cells): KernelFuncs {
  const { features, units, resetAfter, update, activation, recurrentActivation, clip } = kernel
  const shape: CellShape = {
    features,
    units,
    resetAfter,
    update,
    activation,
    recurrentActivation,
    clip,
  }
  const key = JSON.stringify(shape)
  const shared = cells.get(key) ?? writeCell(site.module, shape, site.target)
  cells.set(key, shared)
  const [panels, biases] = [4 * kernel.panels, 4 * kernel.biases]
  const cell = site.module.func(
    { name: `${kernel.node}: cell`, params: ['i32', 'i32', 'i32', 'i32'] },
    ({ call }, x, h, out, scratch) => call(shared, panels, biases, x, h, out, scratch),
  )
  return { cell, step: writeStep(site, kernel, cell), block: writeBlock(site, kernel, cell) }
}

type Cell = Func<readonly ['i32', 'i32', 'i32', 'i32'], undefined>

function writeStep({ module, plan, target }: Site, kernel: GruKernel, cell: Cell) {
  const { offsets, scratch } = plan.step
  const vectors = padded(kernel.units) / LANES
  return module.func(
    { name: `${kernel.node}: step`, params: ['i32', 'i32'] },
    (f, frame, state) => {
      const k: Lanes = { ...target, f }
      const at = (offset: number): Pointer => pointer(k, frame, 4 * offset)
      const h = pointer(k, state, 4 * kernel.state)
      const out = at(offsets[kernel.sequence])
      f.call(cell, at(offsets[kernel.x]), h, out, at(scratch))
      copyVectors(k, h, out, vectors)
      for (const value of [kernel.last, kernel.finalState]) {
        if (value >= 0) copyVectors(k, at(offsets[value]), out, vectors)
      }
    },
  )
}

function writeBlock({ module, plan, target }: Site, kernel: GruKernel, cell: Cell) {
  const { offsets, scratch, steps: most } = plan.block
  const lanes = padded(kernel.units)
  const way = kernel.direction === 'forward' ? 1 : -1
  const [xBytes, outBytes] = [4 * padded(kernel.features), 4 * lanes]
  return module.func(
    { name: `${kernel.node}: block`, params: ['i32', 'i32', 'i32', 'i32', 'i32'] },
    (f, frame, state, rows, steps, start) => {
      const k: Lanes = { ...target, f }
      const { i32, local } = f
      const at = (offset: number): Pointer => pointer(k, frame, 4 * offset)
      const [xRow, outRow, free] = [
        at(offsets[kernel.x]),
        at(offsets[kernel.sequence]),
        at(scratch),
      ]
      const initial = kernel.initialState < 0 ? null : at(offsets[kernel.initialState])
      // Every step counts here, so the last output is the state.
      const ends = [kernel.last, kernel.finalState].flatMap((value) =>
        value < 0 ? [] : [at(offsets[value])],
      )
      const own = pointer(k, state, 4 * kernel.state)
      const [x, h, out, left] = [local('i32'), local('i32'), local('i32'), local('i32')]
      f.loop((nextRow) => {
        if (initial !== null) {
          f.if(start, () => copyVectors(k, own, initial, lanes / LANES))
          advance(k, initial, outBytes)
        }
        local.set(x, xRow)
        local.set(out, outRow)
        if (way < 0) {
          local.set(x, i32.add(x, i32.mul(i32.sub(steps, 1), xBytes)))
          local.set(out, i32.add(out, i32.mul(i32.sub(steps, 1), outBytes)))
        }
        local.set(h, own)
        local.set(left, steps)
        f.loop((nextStep) => {
          f.call(cell, x, h, out, free)
          local.set(h, out)
          advance(k, x, way * xBytes)
          advance(k, out, way * outBytes)
          f.br_if(nextStep, local.tee(left, i32.sub(left, 1)))
        })
        copyVectors(k, own, h, lanes / LANES)
        for (const end of ends) {
          copyVectors(k, end, h, lanes / LANES)
          advance(k, end, outBytes)
        }
        advance(k, xRow, most * xBytes)
        advance(k, outRow, most * outBytes)
        advance(k, own, 4 * plan.stateStride)
        f.br_if(nextRow, local.tee(rows, i32.sub(rows, 1)))
      })
    },
  )
}
