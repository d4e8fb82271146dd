/** What arrives at the recurrent layers of a model in a run. */

import { createModel, valueShapes } from '../model/graph.ts'
import { isRecurrent, statesOf } from '../model/layers.ts'
import type { Model, RecurrentNode } from '../model/types.ts'
import { readInputs } from '../runtime/all-inputs.ts'
import { compileAtOnce } from '../runtime/at-once.ts'
import { notFound, readStates } from '../runtime/inputs.ts'
import { type Masks, readMasks } from '../runtime/masks.ts'
import type { RunOptions } from '../runtime/program.ts'
import type { Named, Tensor, TensorLike } from '../tensor.ts'

export type TapOptions = Pick<RunOptions, 'initialState' | 'mask' | 'lengths'>

/** A layer, what arrives at it, and the state each row starts from. */
export interface TappedLayer {
  readonly node: RecurrentNode
  readonly inputs: Named<Tensor>
  /** The caller's, where they speak of these rows and steps. */
  readonly masks: Masks | null
  readonly initial: (slot: string, row: number) => readonly number[]
}

/**
 * Runs the part of the model that comes before these layers, in float64.
 * @throws GruvError `not-found` for a layer that is not there or carries no state.
 */
export function tap(
  model: Model,
  x: TensorLike | Named<TensorLike>,
  layers: readonly string[],
  options: TapOptions,
): readonly TappedLayer[] {
  const nodes = layers.map((name) => {
    const node = model.nodes.filter(isRecurrent).find((each) => each.name === name)
    if (node !== undefined) return node
    throw notFound(
      'recurrent layer',
      name,
      model.nodes.filter(isRecurrent).map((each) => each.name),
    )
  })
  const inputs = readInputs(model.inputs, x)
  const reading = nodes.flatMap((node) => Object.values(node.inputs))
  const values = valuesInside(model, reading, inputs.tensors, options)
  const slots = model.nodes.flatMap(statesOf)
  const given = readStates(slots, options.initialState, () => inputs.batch)
  return nodes.map((node) => {
    const arriving = Object.fromEntries(
      Object.entries(node.inputs).map(([port, value]) => [port, values.get(value)!]),
    )
    const [rows, steps] = arriving.x.shape
    const inStep = rows === inputs.batch && steps === inputs.steps
    return {
      node,
      inputs: arriving,
      masks: inStep ? readMasks(options, rows, steps) : null,
      initial(slot, row) {
        const tensor =
          arriving[slot === 'c' ? 'initialCell' : 'initialState'] ??
          given.get(`${node.name}.${slot}`)
        if (tensor === undefined) return new Array<number>(node.units).fill(0)
        const from = tensor.shape.length === 1 ? 0 : row * node.units
        return Array.from(tensor.data.subarray(from, from + node.units))
      },
    }
  })
}

/** These values and the inputs, with all their axes, by name. */
export function valuesInside(
  model: Model,
  wanted: readonly string[],
  inputs: ReadonlyMap<string, Tensor>,
  options: TapOptions,
): ReadonlyMap<string, Tensor> {
  const values = new Map(inputs)
  const inner = [...new Set(wanted)].filter((value) => !inputs.has(value))
  if (inner.length === 0) return values
  const { mask, lengths, initialState } = options
  const shapes = valueShapes(model.inputs, model.nodes)
  const part = createModel({
    ...model,
    // In the graph's order of axes, and with all of them: results have theirs then, too.
    inputs: model.inputs.map(({ name }) => ({ name, shape: shapes.get(name)! })),
    outputs: inner.map((value) => ({ name: value, value })),
  })
  const results = compileAtOnce(part, { precision: 'f64' }).predict(Object.fromEntries(inputs), {
    outputs: inner,
    ...(mask !== undefined && { mask }),
    ...(lengths !== undefined && { lengths }),
    ...(initialState !== undefined && { initialState }),
  })
  for (const value of inner) values.set(value, results[value])
  return values
}
