/** Runs a model step by step, to compare with whole sequences. */

import type { Program } from '../../src/index.ts'
import type { Named, Tensor } from '../../src/tensor.ts'

/**
 * The outputs of one row, step by step: those over time joined, of the others the last.
 * @param inputs of one row; the clock has its steps outermost or right behind the row.
 */
export function streamed(program: Program, inputs: Named<Tensor>, steps: number): Named<number[]> {
  const stream = program.stream()
  const collected: Record<string, number[]> = {}
  const [clock] = program.inputs
  for (const [name, { data }] of Object.entries(inputs))
    if (name !== clock.name) stream.inputs[name].set(data)
  const { data } = inputs[clock.name]
  const width = data.length / steps
  for (let t = 0; t < steps; t++) {
    stream.input.set(data.subarray(t * width, (t + 1) * width))
    stream.step()
    for (const [name, values] of Object.entries(stream.outputs))
      collected[name] = [...(collected[name] ?? []), ...values]
  }
  stream.close()
  return collected
}
