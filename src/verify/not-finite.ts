/** Finds where NaN and infinities begin: in the weights, an input, or a step of the run. */

import type { Model } from '../model/types.ts'
import { weightsOf } from '../model/weights.ts'
import type { Named, Tensor } from '../tensor.ts'
import { type Axes, asSequences } from './layout.ts'

/** What a run read and gave. */
export interface RunData {
  readonly inputs: Named<Tensor>
  readonly initialState: Named<Tensor>
  readonly outputs: Named<{ readonly tensor: Tensor; readonly axes: Axes }>
}

/** A sentence: `NaN begins in input x at [0, 3, 1]`. Null where every number is finite. */
export function whereItBegins(model: Model, run: RunData): string | null {
  for (const node of model.nodes) {
    for (const [name, tensor] of Object.entries(weightsOf(node))) {
      const found = firstIn(tensor)
      if (found !== null)
        return `${found.what} begins in the weights: ${node.name}.${name} at ${found.at}`
    }
  }
  for (const [kind, tensors] of [
    ['input', run.inputs],
    ['initial state', run.initialState],
  ] as const) {
    for (const [name, tensor] of Object.entries(tensors)) {
      const found = firstIn(tensor)
      if (found !== null) return `${found.what} begins in ${kind} ${name} at ${found.at}`
    }
  }
  for (const [name, { tensor, axes }] of Object.entries(run.outputs)) {
    const { shape, data } = asSequences(tensor, axes)
    const [rows, steps, units] = shape
    for (let t = 0; t < steps; t++) {
      for (let row = 0; row < rows; row++) {
        for (let unit = 0; unit < units; unit++) {
          const value = data[(row * steps + t) * units + unit]
          if (Number.isFinite(value)) continue
          const place = axes.time < 0 ? `row ${row}` : `timestep ${t}, row ${row}`
          return `weights and inputs are finite; ${value} comes up in output ${name} at ${place}, unit ${unit}`
        }
      }
    }
  }
  return null
}

function firstIn({ shape, data }: Tensor): { readonly what: string; readonly at: string } | null {
  const at = data.findIndex((value) => !Number.isFinite(value))
  if (at < 0) return null
  let rest = at
  const place = shape.map((_, axis) => {
    const stride = shape.slice(axis + 1).reduce((a, b) => a * b, 1)
    const index = Math.floor(rest / stride)
    rest -= index * stride
    return index
  })
  return { what: String(data[at]), at: `[${place.join(', ')}]` }
}
