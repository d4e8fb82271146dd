/** Computes the inputs of recurrent layers inside a model. */

import type { LimitOptions } from '../limits.ts'
import { createModel, valueShapes } from '../model/graph.ts'
import { isRecurrent, statesOf } from '../model/layers.ts'
import type { Model, RecurrentNode } from '../model/types.ts'
import { compileSync } from '../runtime/compile-sync.ts'
import type { RunOptions } from '../runtime/program.ts'
import { type States, stateSlots } from '../runtime/reference/cells.ts'
import { type Vector, zeros } from '../runtime/reference/vectors.ts'
import { readInputs } from '../runtime/run/inputs.ts'
import { type Masks, readMasks } from '../runtime/run/masks.ts'
import { named } from '../runtime/run/named.ts'
import { readStates } from '../runtime/run/states.ts'
import type { Named, Tensor, TensorLike } from '../tensor.ts'

export interface StateAndMaskOptions extends Pick<RunOptions, 'initialState' | 'mask' | 'lengths'> {
  /** What the runs may cost, as `compile` takes it. */
  readonly limits?: LimitOptions
}

/** A layer, its inputs by port, and the state each row starts from. */
export interface RecurrentInputs {
  readonly node: RecurrentNode
  readonly inputs: Named<Tensor>
  /** The caller's masks, where they apply to these rows and steps. */
  readonly masks: Masks | null
  readonly initial: (row: number) => States
  /** The vector of port `x` at a timestep. */
  readonly vectorAt: (row: number, t: number) => Vector
}

/**
 * Runs the part of the model that comes before these layers, in float64.
 * @throws GruvError `not-found` for a layer that does not exist or has no state.
 */
export function recurrentInputs(
  model: Model,
  x: TensorLike | Named<TensorLike>,
  layers: readonly string[],
  options: StateAndMaskOptions,
): readonly RecurrentInputs[] {
  const recurrent = model.nodes.filter(isRecurrent)
  const nodes = layers.map((name) => named('recurrent layer', name, recurrent))
  const inputs = readInputs(model.inputs, x)
  const reading = nodes.flatMap((node) => Object.values(node.inputs))
  const values = valuesInside(model, reading, inputs.tensors, options)
  const slots = model.nodes.flatMap(statesOf)
  const given = readStates(slots, options.initialState, () => inputs.batch)
  return nodes.map((node) => {
    const arriving = Object.fromEntries(
      Object.entries(node.inputs).map(([port, value]) => [port, values.get(value)!]),
    )
    const [rows, steps, features] = arriving.x.shape
    const inStep = rows === inputs.batch && steps === inputs.steps
    return {
      node,
      inputs: arriving,
      masks: inStep ? readMasks(options, rows, steps) : null,
      initial(row) {
        const states = stateSlots(node).map((slot) => {
          const tensor =
            arriving[slot === 'c' ? 'initialCell' : 'initialState'] ??
            given.get(`${node.name}.${slot}`)
          if (tensor === undefined) return [slot, zeros(node.units)]
          const from = tensor.shape.length === 1 ? 0 : row * node.units
          return [slot, Array.from(tensor.data.subarray(from, from + node.units))]
        })
        return Object.fromEntries(states)
      },
      vectorAt(row, t) {
        const from = (row * steps + t) * features
        return Array.from(arriving.x.data.subarray(from, from + features))
      },
    }
  })
}

/** These values and the inputs, with all their axes, by name. */
export function valuesInside(
  model: Model,
  wanted: readonly string[],
  inputs: ReadonlyMap<string, Tensor>,
  options: StateAndMaskOptions,
): ReadonlyMap<string, Tensor> {
  const values = new Map(inputs)
  const inner = [...new Set(wanted)].filter((value) => !inputs.has(value))
  if (inner.length === 0) return values
  const shapes = valueShapes(model.inputs, model.nodes)
  const part = createModel({
    ...model,
    // With all axes in the graph's order, so that the results have them as well.
    inputs: model.inputs.map(({ name }) => ({ name, shape: shapes.get(name)! })),
    outputs: inner.map((value) => ({ name: value, value })),
  })
  const { limits, ...runOptions } = options
  const program = compileSync(part, { precision: 'f64', ...(limits && { limits }) })
  const results = program.predict(Object.fromEntries(inputs), {
    ...runOptions,
    outputs: inner,
  })
  for (const value of inner) values.set(value, results[value])
  return values
}
