/** Layers whose steps do not depend on each other, in WebAssembly: how they run over rows and steps. */

import { padded } from '../../plan.ts'
import type { Func } from '../assembler.ts'
import { type KernelFuncs, once, type Site } from './kernel.ts'
import { advance, type Lanes, type Pointer, pointer, repeatFor, writing } from './lanes.ts'

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
        const perRow = overTime ? plan.block.steps : 1
        const bytes = ports.map(({ width }) => k.bytes * padded(width))
        const starts = ports.map(({ value }) =>
          pointer(k, frame, k.bytes * plan.block.offsets[value]),
        )
        repeatFor(k, rows, () => {
          const vectors = starts.map((start) => pointer(k, start))
          const write = (): void => {
            f.call(layer, ...vectors)
            vectors.forEach((vector, i) => advance(k, vector, bytes[i]))
          }
          if (overTime) repeatFor(k, steps, write)
          else write()
          starts.forEach((start, i) => advance(k, start, perRow * bytes[i]))
        })
      },
    )
  return { step: once(writeStep), block: once(writeBlock) }
}

/** A pointer into the weights. */
export function address({ bytes, f }: Lanes, offset: number): Pointer {
  const local = f.local('i32')
  f.local.set(local, bytes * offset)
  return local
}
