/** Copies rows of an embedding's table (`layers/embedding.ts`), in plain JavaScript. */

import { GruvError } from '../../errors.ts'
import type { EmbeddingNode } from '../../model/types.ts'
import type { EmbeddingKernel } from '../plan/kernels.ts'
import { padded } from '../plan/types.ts'
import type { JsLayer } from './cursor.ts'

export const embedding: JsLayer<EmbeddingKernel> = (
  { node, units, x, y, mask, overTime },
  _,
  cursor,
) => {
  const { memory, layout, frame, rows, nodes } = cursor
  const { data } = (nodes.get(node) as EmbeddingNode).weights.table
  const count = data.length / units
  const perRow = overTime ? layout.steps : 1
  const steps = overTime ? cursor.steps : 1
  for (let row = 0; row < rows; row++) {
    for (let t = 0; t < steps; t++) {
      const at = row * perRow + t
      const index = memory[frame + layout.offsets[x] + at * padded(1)]
      if (!(Number.isInteger(index) && index >= 0 && index < count))
        throw outside(node, index, count)
      const to = frame + layout.offsets[y] + at * padded(units)
      for (let i = 0; i < units; i++) memory[to + i] = data[index * units + i]
      if (mask >= 0) memory[frame + layout.offsets[mask] + at * padded(1)] = index === 0 ? 0 : 1
    }
  }
}

/** What an embedding says of a number that is none of its rows. */
function outside(node: string, index: number, count: number): GruvError {
  return new GruvError('bad-argument', 'there is no such row in the embedding', {
    where: node,
    expected: `whole numbers from 0 to ${count - 1}`,
    got: `${index}`,
  })
}
