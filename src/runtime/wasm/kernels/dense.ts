/** The Dense layer in WebAssembly, with the weights and the order of `js/dense.ts`. */

import { isElementwise } from '../../../model/activations.ts'
import type { DenseKernel } from '../../js/dense.ts'
import { type FrameLayout, LANES, padded } from '../../plan.ts'
import type { Func } from '../assembler.ts'
import { activate } from './activations.ts'
import type { KernelFuncs, Site } from './kernel.ts'
import {
  accumulate,
  advance,
  hold,
  type Lanes,
  overBlocks,
  type Pointer,
  pointer,
} from './lanes.ts'
import { softmax } from './softmax.ts'

const VECTOR = 16

/** (x, y): a vector of features to a vector of units. */
type Layer = Func<readonly ['i32', 'i32'], undefined>

export function writeDense(site: Site, kernel: DenseKernel): KernelFuncs {
  const { module, plan, target } = site
  const layer = writeLayer(site, kernel)
  const from = (layout: FrameLayout, value: number): number => 4 * layout.offsets[value]
  const step = module.func({ name: `${kernel.node}: step`, params: ['i32', 'i32'] }, (f, frame) => {
    const k: Lanes = { ...target, f }
    const x = pointer(k, frame, from(plan.step, kernel.x))
    f.call(layer, x, pointer(k, frame, from(plan.step, kernel.y)))
  })
  const block = module.func(
    { name: `${kernel.node}: block`, params: ['i32', 'i32', 'i32', 'i32', 'i32'] },
    (f, frame, _state, rows, steps) => {
      const k: Lanes = { ...target, f }
      const { i32, local } = f
      const most = kernel.overTime ? plan.block.steps : 1
      const [xBytes, yBytes] = [4 * padded(kernel.features), 4 * padded(kernel.units)]
      const xRow = pointer(k, frame, from(plan.block, kernel.x))
      const yRow = pointer(k, frame, from(plan.block, kernel.y))
      const [x, y, left] = [local('i32'), local('i32'), local('i32')]
      f.loop((nextRow) => {
        local.set(x, xRow)
        local.set(y, yRow)
        if (kernel.overTime) local.set(left, steps)
        else local.set(left, 1)
        f.loop((nextStep) => {
          f.call(layer, x, y)
          advance(k, x, xBytes)
          advance(k, y, yBytes)
          f.br_if(nextStep, local.tee(left, i32.sub(left, 1)))
        })
        advance(k, xRow, most * xBytes)
        advance(k, yRow, most * yBytes)
        f.br_if(nextRow, local.tee(rows, i32.sub(rows, 1)))
      })
    },
  )
  return { step, block }
}

function writeLayer({ module, target }: Site, kernel: DenseKernel): Layer {
  const { features, units, activation } = kernel
  const panel = features * VECTOR
  const vectors = padded(units) / LANES
  return module.func({ name: kernel.node, params: ['i32', 'i32'] }, (f, x, y) => {
    const k: Lanes = { ...target, f }
    const { local, v128 } = f
    const [panels, biases] = [local('i32'), local('i32')]
    local.set(panels, 4 * kernel.panels)
    local.set(biases, 4 * kernel.biases)
    const to = pointer(k, y)
    const moving: readonly (readonly [Pointer, number])[] = [
      [panels, panel],
      [biases, VECTOR],
      [to, VECTOR],
    ]
    // One sum for each vector, where a GRU has three: so many more vectors at a time.
    overBlocks(k, vectors, 3 * target.vectors, moving, (size) => {
      const sums = Array.from({ length: size }, (_, v) => ({
        acc: hold(k, v128.load(v * VECTOR, biases)),
        offset: v * panel,
      }))
      accumulate(k, sums, pointer(k, panels), VECTOR, pointer(k, x), features)
      sums.forEach(({ acc }, v) => {
        const a = isElementwise(activation) ? activate(k, activation, acc) : local.get(acc)
        v128.store(v * VECTOR, to, a)
      })
    })
    if (!isElementwise(activation)) softmax(k, y, units)
  })
}
