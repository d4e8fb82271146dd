/** Checks that ports with axes of their own show the numbers of their values. */

import { GruvError } from '../../errors.ts'
import type { Dim } from '../types.ts'
import type { Signatures } from './signatures.ts'

/** @throws GruvError `bad-model` naming the port, where it and its value differ in more than ones. */
export const checkPorts: NonNullable<Signatures['checkPorts']> = (ports, shapes) => {
  for (const { name, value = name, shape, axes } of ports) {
    if (axes === undefined) continue
    const lying = shapes.get(value)!
    const used = axes.filter((axis) => axis >= 0)
    if (wide(shape) === wide(lying) && new Set(used).size === used.length) continue
    throw new GruvError('bad-model', 'the axes of this port are not those of its value', {
      where: name,
      expected: `an order of [${lying.join(', ')}]`,
      got: `[${shape.join(', ')}], axes ${axes.join(', ')}`,
    })
  }
}

/** The extents of a shape but for those of one, in any order. */
function wide(shape: readonly Dim[]): string {
  return `${shape.filter((extent) => extent !== 1).sort()}`
}
