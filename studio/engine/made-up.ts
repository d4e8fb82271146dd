/** Makes an input for models that came without one, so that there is something to see. */

import type { Model, Named, Tensor } from '../../src/index.ts'
import { weightsOf } from '../../src/model/index.ts'

const STEPS = 60

/**
 * Waves of a different length for each feature, with a pause in the middle; indices for an
 * embedding. Always the same.
 */
export function madeUpInput(model: Model): Named<Tensor> {
  return Object.fromEntries(
    model.inputs.map(({ name, shape }) => {
      const extents = shape.map((dim) =>
        dim === 'batch' ? 1 : typeof dim === 'number' ? dim : STEPS,
      )
      const size = extents.reduce((a, b) => a * b, 1)
      const count = tableSize(model, name)
      const data = new Float32Array(size)
      const width = extents.at(-1) ?? 1
      for (let i = 0; i < size; i++) {
        const [t, f] = [Math.floor(i / width), i % width]
        data[i] = count === null ? wave(t, f) : (i * 7 + 3) % count
      }
      return [name, { shape: extents, data }]
    }),
  )
}

function wave(t: number, f: number): number {
  if (t % STEPS > 24 && t % STEPS < 34) return 0
  return Math.sin((2 * Math.PI * t) / (7 + 4 * (f % 9)) + f)
}

/** The number of rows of the embedding that reads this input; null where none does. */
function tableSize({ nodes }: Model, input: string): number | null {
  for (const node of nodes) {
    if (node.kind !== 'embedding' || !Object.values(node.inputs).includes(input)) continue
    return Object.values(weightsOf(node))[0].shape[0]
  }
  return null
}
