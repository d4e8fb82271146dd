/** Layers whose steps do not depend on each other, in WebAssembly: how they run over rows and steps. */

import { LANES, padded } from '../../plan.ts'
import type { Func } from '../assembler.ts'
import { type KernelFuncs, once, type Site } from './kernel.ts'
import { advance, type Lanes, type Pointer, pointer, repeat, VECTOR, writing } from './lanes.ts'

/** A value of the frame, by its index, and how many numbers a vector of it has. */
export interface PortOf {
  readonly value: number
  readonly width: number
}

/** From the addresses of a vector of each port. */
type Layer = Func<readonly 'i32'[], undefined>

/** Runs `layer` for every row and step, at the vectors of its ports. */
export function writeOverFrame(
  { module, plan, target }: Site,
  { node, overTime }: { readonly node: string; readonly overTime: boolean },
  ports: readonly PortOf[],
  layer: Layer,
): KernelFuncs {
  const writeStep = () =>
    module.func({ name: `${node}: step`, params: ['i32', 'i32'] }, (f, frame) => {
      const k = writing(target, f)
      f.call(
        layer,
        ...ports.map(({ value }) => pointer(k, frame, k.bytes * plan.step.offsets[value])),
      )
    })
  const writeBlock = () =>
    module.func(
      { name: `${node}: block`, params: ['i32', 'i32', 'i32', 'i32', 'i32'] },
      (f, frame, _state, rows, steps) => {
        const k = writing(target, f)
        const { i32, local } = f
        const perRow = overTime ? plan.block.steps : 1
        const bytes = ports.map(({ width }) => k.bytes * padded(width))
        const starts = ports.map(({ value }) =>
          pointer(k, frame, k.bytes * plan.block.offsets[value]),
        )
        const vectors = ports.map(() => local('i32'))
        const left = local('i32')
        f.loop((nextRow) => {
          vectors.forEach((vector, i) => local.set(vector, starts[i]))
          if (overTime) local.set(left, steps)
          else local.set(left, 1)
          f.loop((nextStep) => {
            f.call(layer, ...vectors)
            vectors.forEach((vector, i) => advance(k, vector, bytes[i]))
            f.br_if(nextStep, local.tee(left, i32.sub(left, 1)))
          })
          starts.forEach((start, i) => advance(k, start, perRow * bytes[i]))
          f.br_if(nextRow, local.tee(rows, i32.sub(rows, 1)))
        })
      },
    )
  return { step: once(writeStep), block: once(writeBlock) }
}

/** A layer from x to y, of equal width. */
interface Mapped {
  readonly node: string
  readonly x: number
  readonly y: number
  readonly width: number
  readonly overTime: boolean
}

/** The same, for a layer that is written as a function of the two vectors. */
export function writeMap(
  site: Site,
  kernel: Mapped,
  write: (k: Lanes, x: Pointer, y: Pointer) => void,
): KernelFuncs {
  const { module, target } = site
  const layer = module.func({ name: kernel.node, params: ['i32', 'i32'] }, (f, x, y) =>
    write(writing(target, f), x, y),
  )
  const { x, y, width } = kernel
  const ports = [x, y].map((value) => ({ value, width }))
  return writeOverFrame(site, kernel, ports, layer)
}

/**
 * The same, where every vector is treated alike: `each` gets where they lie in x and y, and
 * in arrays of as many numbers at these offsets of the weights.
 */
export function writeElementwise(
  site: Site,
  kernel: Mapped,
  arrays: readonly number[],
  each: (k: Lanes, x: Pointer, y: Pointer, arrays: readonly Pointer[]) => void,
): KernelFuncs {
  return writeMap(site, kernel, (k, xFirst, yFirst) => {
    const [x, y] = [pointer(k, xFirst), pointer(k, yFirst)]
    const others = arrays.map((offset) => address(k, offset))
    repeat(k, (padded(kernel.width) / LANES) * k.parts, () => {
      each(k, x, y, others)
      for (const moving of [x, y, ...others]) advance(k, moving, VECTOR)
    })
  })
}

/** A pointer into the weights. */
export function address({ bytes, f }: Lanes, offset: number): Pointer {
  const local = f.local('i32')
  f.local.set(local, bytes * offset)
  return local
}
