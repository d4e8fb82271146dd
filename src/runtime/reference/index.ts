/**
 * The oracle: every layer in float64, written to be read beside its equations.
 *
 * It shares nothing with the engines' kernels but the Model: no plan, no packing, no polynomials.
 * It is slow on purpose. `Math.exp` and `Math.tanh` may differ in the last place between JavaScript
 * engines, so its results are right to about 1e-15, not reproducible to the bit.
 */

import { valueShapes } from '../../model/graph.ts'
import { isRecurrent, statesOf } from '../../model/layers.ts'
import type { StateSlot } from '../../model/shapes/shape.ts'
import type { LayerNode, Model } from '../../model/types.ts'
import type { Named, Tensor, TensorLike } from '../../tensor.ts'
import { type RunInputs, readInputs } from '../run/inputs.ts'
import { type MaskOptions, readMasks } from '../run/masks.ts'
import { readStates } from '../run/states.ts'
import { wholeLayer } from './layers.ts'
import { type RecurrentContext, recurrentLayer } from './recurrent.ts'

export interface ReferenceOptions extends MaskOptions {
  readonly initialState?: TensorLike | Named<TensorLike>
}

export interface ReferenceResult {
  readonly outputs: Named<Tensor>
  /** Final states by name, [batch, size], or [size] for input without a batch axis. */
  readonly states: Named<Tensor>
}

/** Runs a model on whole sequences. Input and output forms are those of `Program.predict`. */
export function runReference(
  model: Model,
  x: TensorLike | Named<TensorLike>,
  options: ReferenceOptions = {},
): ReferenceResult {
  const inputs = readInputs(model.inputs, x)
  const slots = model.nodes.flatMap(statesOf)
  const shapes = valueShapes(model.inputs, model.nodes)
  const rowsOf = (state: StateSlot): number => {
    const node = model.nodes.find((each) => statesOf(each).some(({ name }) => name === state.name))!
    return inputs.extent(shapes.get(node.inputs.x)![0])
  }
  const run: Run = {
    inputs,
    options,
    initial: readStates(slots, options.initialState, rowsOf),
    finals: new Map(),
  }
  const values = new Map<string, Tensor>(inputs.tensors)
  for (const node of model.nodes) {
    const arriving = Object.fromEntries(
      Object.entries(node.inputs).map(([port, value]) => [port, values.get(value)!]),
    )
    const leaving = isRecurrent(node)
      ? recurrentLayer(node, arriving, recurrentContext(node, arriving.x, run))
      : wholeLayer(node, arriving, inputs)
    for (const [port, value] of Object.entries(node.outputs)) {
      inputs.bind(shapes.get(value)!, leaving[port].shape, node.name)
      values.set(value, leaving[port])
    }
  }
  return {
    outputs: Object.fromEntries(
      model.outputs.map((port) => [port.name, inputs.deliver(port, values.get(port.value)!)]),
    ),
    states: Object.fromEntries(
      [...run.finals].map(([name, tensor]) => [
        name,
        inputs.deliver({ name, shape: ['batch', tensor.shape[1]] }, tensor),
      ]),
    ),
  }
}

interface Run {
  readonly inputs: RunInputs
  readonly options: ReferenceOptions
  readonly initial: ReadonlyMap<string, Tensor>
  readonly finals: Map<string, Tensor>
}

/** What a recurrent layer needs to know of this run, and where it leaves its states. */
function recurrentContext(
  node: LayerNode,
  { shape: [rows, steps] }: Tensor,
  { inputs, options, initial, finals }: Run,
): RecurrentContext {
  const inStep = rows === inputs.batch && steps === inputs.steps
  for (const { name, size } of statesOf(node))
    finals.set(name, { shape: [rows, size], data: new Float64Array(rows * size) })
  return {
    initial(slot, row) {
      const name = `${node.name}.${slot}`
      const size = finals.get(name)!.shape[1]
      const given = initial.get(name)
      if (given === undefined) return new Array<number>(size).fill(0)
      const from = given.shape.length === 1 ? 0 : row * size
      return Array.from(given.data.subarray(from, from + size))
    },
    final: (slot, row, state) =>
      finals.get(`${node.name}.${slot}`)!.data.set(state, row * state.length),
    masks: inStep ? readMasks(options, rows, steps) : null,
  }
}
