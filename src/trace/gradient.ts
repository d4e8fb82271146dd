/**
 * Computes ∂y/∂x of a whole model, to show what an output depends on: the chain rule from the
 * output back through every layer, exact in float64.
 */

import { GruvError } from '../errors.ts'
import { isRecurrent } from '../model/layers.ts'
import type { LayerNode, Model } from '../model/types.ts'
import { readInputs } from '../runtime/run/inputs.ts'
import { named, notFound } from '../runtime/run/named.ts'
import { type Named, showShape, sizeOf, type Tensor, type TensorLike } from '../tensor.ts'
import { pullLayer } from './gradients/layers.ts'
import { pullRecurrent } from './gradients/recurrent.ts'
import { checkRange } from './range.ts'
import {
  type RecurrentInputs,
  recurrentInputs,
  type StateAndMaskOptions,
  valuesInside,
} from './recurrent-inputs.ts'

export interface InputJacobianOptions extends StateAndMaskOptions {
  /** The name of an output; default: the first. */
  readonly output?: string
  /** Its timestep, where it runs over time; default: the last. */
  readonly at?: number
  /** Of the batch; default 0. */
  readonly row?: number
  /** Which of its units; default: all. */
  readonly units?: readonly number[]
  /**
   * What to differentiate with respect to: an input, or any value inside the model, such as the
   * output of an embedding; default: the first input.
   */
  readonly by?: string
}

export interface InputJacobian {
  readonly output: string
  readonly by: string
  readonly row: number
  /** The output's timestep; null where it has none. */
  readonly at: number | null
  readonly units: readonly number[]
  /** [units, …]: the output's units, then the axes of `by` without the batch. */
  readonly jacobian: Tensor
}

/**
 * The derivatives of an output at one step with respect to an input or an inner value.
 * @throws GruvError `unsupported` naming an embedding on the way, which has no derivative;
 *   `not-found` or `bad-argument` for an output, a step or a unit that does not exist.
 */
export function inputJacobian(
  model: Model,
  x: TensorLike | Named<TensorLike>,
  options: InputJacobianOptions = {},
): InputJacobian {
  const { row = 0, by = model.inputs[0].name } = options
  const output = options.output ?? model.outputs[0].name
  const port = named('output', output, model.outputs)
  const path = nodesBetween(model, by, port.value)
  const looked = [...path.flatMap(({ inputs }) => Object.values(inputs)), port.value, by]
  const values = valuesInside(model, looked, readInputs(model.inputs, x).tensors, options)
  const y = values.get(port.value)!
  const start = values.get(by)!
  if (y.shape.length !== 2 && y.shape.length !== 3) {
    throw new GruvError('unsupported', 'only outputs of vectors have this derivative', {
      where: `output ${output}`,
      expected: '[batch, units] or [batch, time, units]',
      got: showShape(y.shape),
    })
  }
  const [rows, width] = [y.shape[0], y.shape.at(-1)!]
  const steps = y.shape.length === 3 ? y.shape[1] : null
  const at = steps === null ? null : (options.at ?? steps - 1)
  const units = options.units ?? Array.from({ length: width }, (_, u) => u)
  checkRange('row', row, 0, rows - 1)
  if (at !== null) checkRange('at', at, 0, steps! - 1)
  for (const unit of units) checkRange('units', unit, 0, width - 1)

  const recurrent = new Map(
    recurrentInputs(
      model,
      x,
      path.filter(isRecurrent).map(({ name }) => name),
      options,
    ).map((layer) => [layer.node.name, layer]),
  )
  const size = sizeOf(start.shape.slice(1))
  const data = new Float64Array(units.length * size)
  units.forEach((unit, i) => {
    const seed = new Float64Array(y.data.length)
    seed[(row * (steps ?? 1) + (at ?? 0)) * width + unit] = 1
    const bar = pullGraph(path, recurrent, values, port.value, by, { shape: y.shape, data: seed })
    if (bar !== undefined) data.set(bar.data.subarray(row * size, (row + 1) * size), i * size)
  })
  const shape = [units.length, ...start.shape.slice(1)]
  return { output, by, row, at, units, jacobian: { shape, data } }
}

/** The nodes between two values, in order. */
function nodesBetween(model: Model, from: string, to: string): readonly LayerNode[] {
  const known = new Set([
    ...model.inputs.map(({ name }) => name),
    ...model.nodes.flatMap(({ outputs }) => Object.values(outputs)),
  ])
  if (!known.has(from)) throw notFound('value', from, [...known])
  const after = new Set([from])
  const downstream = model.nodes.filter(({ inputs, outputs }) => {
    if (!Object.values(inputs).some((value) => after.has(value))) return false
    for (const value of Object.values(outputs)) if (value !== from) after.add(value)
    return true
  })
  const wanted = new Set([to])
  const path = downstream.toReversed().filter(({ inputs, outputs }) => {
    if (!Object.values(outputs).some((value) => wanted.has(value))) return false
    for (const value of Object.values(inputs)) if (after.has(value)) wanted.add(value)
    return true
  })
  const lookup = path.find(
    ({ kind, inputs }) => kind === 'embedding' || (kind === 'gather' && !after.has(inputs.x)),
  )
  if (lookup === undefined) return path.reverse()
  throw new GruvError(
    'unsupported',
    'an embedding looks numbers up: there is no derivative by them',
    {
      where: lookup.name,
      fix: `Ask for the derivative by what it makes: by: '${Object.values(lookup.outputs)[0]}'.`,
    },
  )
}

/** The derivative with respect to `by`; undefined where the output does not depend on it. */
function pullGraph(
  path: readonly LayerNode[],
  recurrent: ReadonlyMap<string, RecurrentInputs>,
  values: ReadonlyMap<string, Tensor>,
  output: string,
  by: string,
  seed: Tensor,
): Tensor | undefined {
  const bars = new Map([[output, seed]])
  for (const node of path.toReversed()) {
    const leaving = Object.entries(node.outputs).flatMap(([port, value]) => {
      const bar = bars.get(value)
      // A mask is not continuous.
      return bar === undefined || port === 'mask' ? [] : [[port, bar] as const]
    })
    if (leaving.length === 0) continue
    const arriving = Object.fromEntries(
      Object.entries(node.inputs).map(([port, value]) => [port, values.get(value)!]),
    )
    const pulled = isRecurrent(node)
      ? pullRecurrent(recurrent.get(node.name)!, Object.fromEntries(leaving))
      : pullLayer(node, arriving, Object.fromEntries(leaving))
    for (const [port, value] of Object.entries(node.inputs)) {
      const bar = pulled[port]
      if (bar === undefined) continue
      const before = bars.get(value)
      bars.set(value, before === undefined ? bar : plus(before, bar))
    }
  }
  return bars.get(by)
}

function plus(a: Tensor, b: Tensor): Tensor {
  return { shape: a.shape, data: Float64Array.from(a.data, (each, i) => each + b.data[i]) }
}
