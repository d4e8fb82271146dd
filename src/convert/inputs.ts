/** Makes seeded random inputs on which a model and its conversion are compared. */

import type { Dim, LayerNode, Model, Port } from '../model/types.ts'
import { type Named, sizeOf, type Tensor } from '../tensor.ts'
import { random } from '../verify/random.ts'

/** Long enough for a state to matter, short enough to be quick. */
const STEPS = 24
const ROWS = 2
/** Any other extent that is known only when a program runs. */
const OTHER = 5

const SEED = 0x67727576

/** float32 numbers in ±1, the same for every conversion; whole numbers for an embedding. */
export function randomInputs(model: Model): Named<Tensor> {
  const next = random(SEED)
  return Object.fromEntries(
    model.inputs.map((port) => {
      const shape = port.shape.map(extent)
      const draw = drawFor(port, model.nodes, next)
      return [port.name, { shape, data: Float32Array.from({ length: sizeOf(shape) }, draw) }]
    }),
  )
}

function extent(dim: Dim): number {
  if (typeof dim === 'number') return dim
  if (dim === 'batch') return ROWS
  return dim === 'time' ? STEPS : OTHER
}

/** The numbers that a port may get follow from the layers that read it. */
function drawFor({ name }: Port, nodes: readonly LayerNode[], next: () => number): () => number {
  for (const node of nodes) {
    const ports = Object.entries(node.inputs).flatMap(([port, value]) =>
      value === name ? [port] : [],
    )
    if (ports.includes('x') && node.kind === 'embedding') {
      const [rows] = node.weights.table.shape
      return () => Math.floor(next() * rows)
    }
    if (ports.includes('indices')) return () => 0
    if (ports.includes('lengths')) return () => 1 + Math.floor(next() * STEPS)
    if (ports.some((port) => /mask/i.test(port))) return () => Math.round(next())
  }
  return () => 2 * next() - 1
}
