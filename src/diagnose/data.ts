/** Inputs and expected outputs of a diagnosis, with all their axes. */

import { GruvError } from '../errors.ts'
import { createModel } from '../model/graph.ts'
import { statesOf } from '../model/layers.ts'
import type { Model } from '../model/types.ts'
import { readInputs } from '../runtime/run/inputs.ts'
import { isTensorLike } from '../runtime/run/named.ts'
import { readStates } from '../runtime/run/states.ts'
import { type Named, showShape, sizeOf, type Tensor, type TensorLike, toTensor } from '../tensor.ts'
import { sameExtents } from '../verify/compare.ts'
import { deriveTolerance, largestMagnitude, producerPrecision } from '../verify/tolerance.ts'
import { type Extents, inputsForModel, type RunChange } from './runs.ts'

/** The expected numbers of one output, with the row and step of each vector. */
export interface Target {
  readonly name: string
  readonly tensor: Tensor
  readonly width: number
  /** Whether the model's output runs over time. */
  readonly overTime: boolean
  /** Row and step of each vector in `tensor`, two numbers each. */
  readonly places: Int32Array
}

export interface Data {
  readonly extents: Extents
  /** [rows, steps, width], or [rows, width] for inputs without time. */
  readonly inputs: Named<Tensor>
  readonly initial: ReadonlyMap<string, Tensor>
  readonly targets: readonly Target[]
}

export interface DiagnoseData {
  /** One tensor for a model with one input, else tensors by name. */
  readonly input: TensorLike | Named<TensorLike>
  /** One tensor for the first output, or tensors by output or final state name. */
  readonly expected: TensorLike | Named<TensorLike>
  readonly initialState?: TensorLike | Named<TensorLike>
}

/** Makes an output of each final state that is expected. */
export function withStateOutputs(model: Model, names: readonly string[]): Model {
  const missing = names.filter((name) => !model.outputs.some((port) => port.name === name))
  if (missing.length === 0) return model
  const owners = missing.map((state) => {
    const node = model.nodes.find(
      (each) => each.kind === 'gru' && statesOf(each).some(({ name }) => name === state),
    )
    if (node !== undefined) return { state, node }
    const known = [...model.outputs, ...model.nodes.flatMap(statesOf)].map(({ name }) => name)
    throw new GruvError('not-found', `there is no output '${state}'`, {
      where: 'expected',
      expected: `one of ${known.join(', ')}`,
    })
  })
  const nodes = model.nodes.map((node) =>
    owners.some((owner) => owner.node === node) && node.outputs.last === undefined
      ? { ...node, outputs: { ...node.outputs, last: `${node.name}.last` } }
      : node,
  )
  return createModel({
    ...model,
    nodes,
    outputs: [
      ...model.outputs,
      ...owners.map(({ state, node }) => ({
        name: state,
        value: nodes.find(({ name }) => name === node.name)!.outputs.last,
      })),
    ],
    warnings: [],
  })
}

export function expectedByName(
  model: Model,
  expected: TensorLike | Named<TensorLike>,
): Named<Tensor> {
  const named = isTensorLike(expected) ? { [model.outputs[0].name]: expected } : expected
  const tensors = Object.entries(named).map(
    ([name, like]) => [name, inTruePrecision(toTensor(like, `expected ${name}`))] as const,
  )
  if (tensors.length > 0) return Object.fromEntries(tensors)
  throw new GruvError('bad-argument', 'there is nothing to compare with', { where: 'expected' })
}

/** float64 files often hold float32 numbers, which can only be compared to float32. */
function inTruePrecision(tensor: Tensor): Tensor {
  const wide = tensor.printed === undefined && (tensor.dtype ?? 'float64') === 'float64'
  if (!wide || tensor.data instanceof Float32Array) return tensor
  if (!tensor.data.every((value) => Object.is(Math.fround(value), value))) return tensor
  return { shape: tensor.shape, data: Float32Array.from(tensor.data) }
}

export function readInputData(
  model: Model,
  { input, initialState }: DiagnoseData,
): Omit<Data, 'targets'> {
  const inputs = readInputs(model.inputs, input)
  return {
    extents: { rows: inputs.batch, steps: inputs.steps },
    inputs: Object.fromEntries(inputs.tensors),
    initial: readStates(model.nodes.flatMap(statesOf), initialState, () => inputs.batch),
  }
}

/**
 * Assigns the expected numbers to the outputs of a model; null when the shapes do not fit, as when
 * the data was taken before the last layer.
 */
export function layOut(
  model: Model,
  expected: Named<Tensor>,
  { rows, steps }: Extents,
): readonly Target[] | null {
  const targets: Target[] = []
  for (const [name, tensor] of Object.entries(expected)) {
    const port = model.outputs.find((output) => output.name === name)!
    const width = port.shape.at(-1) as number
    const overTime = port.shape.includes('time')
    const whole = overTime && sameExtents(tensor.shape, [rows, steps, width])
    if (!whole && !sameExtents(tensor.shape, [rows, width])) return null
    const count = sizeOf(tensor.shape) / width
    const places = new Int32Array(2 * count)
    for (let i = 0; i < count; i++) {
      places[2 * i] = whole ? Math.floor(i / steps) : i
      places[2 * i + 1] = whole ? i % steps : steps - 1
    }
    targets.push({ name, tensor, width, overTime, places })
  }
  return targets
}

export function misfit(model: Model, expected: Named<Tensor>, { rows, steps }: Extents): GruvError {
  const [name, tensor] = Object.entries(expected)[0]
  const port = model.outputs.find((output) => output.name === name)!
  const extents = port.shape.map((extent) =>
    extent === 'batch' ? rows : extent === 'time' ? steps : extent,
  )
  return new GruvError('bad-shape', 'the expected data does not have the shape of the output', {
    where: `expected ${name}`,
    expected: showShape(extents),
    got: showShape(tensor.shape),
    fix: 'Do input and expected data belong together?',
  })
}

/**
 * The data as the model sees it under a change of the run; null where that changes nothing in it.
 */
export function dataUnder(data: Data, change: RunChange): Data | null {
  const { extents, inputs, initial, targets } = data
  if (!targets.every(({ overTime }) => change.applies(extents, overTime))) return null
  const dropsState = change.initialState === 'dropped'
  if (dropsState && initial.size === 0) return null
  const there = change.extents(extents)
  const timeless = Object.values(inputs).some(({ shape }) => shape.length !== 3)
  const perRow = [...initial.values()].some(({ shape }) => shape.length > 1)
  if (there.rows !== extents.rows && (timeless || perRow)) return null
  return {
    extents: there,
    inputs: inputsForModel(change, inputs, extents),
    initial: dropsState ? new Map() : initial,
    targets: targets.map((target) => {
      const places = target.places.slice()
      for (let i = 0; i < places.length; i += 2)
        places.set(change.output(places[i], places[i + 1], extents), i)
      return { ...target, places }
    }),
  }
}

/**
 * The error that a right candidate may have on a short prefix. Generous, since this is only a
 * prefilter, and far below the error of a wrong reading.
 */
export function prefilterBounds({ tensor }: Target): Float64Array {
  const known = boundsKnown.get(tensor)
  if (known !== undefined) return known
  const scale = largestMagnitude(tensor.data)
  const tolerance = deriveTolerance({
    expected: tensor,
    precision: 'f64',
    float32Error: PREFILTER_ROUNDOFF[producerPrecision(tensor)] * Math.max(scale, Number.MIN_VALUE),
  })
  const bounds = Float64Array.from(tensor.data, (value) => 2 * tolerance.at(value))
  boundsKnown.set(tensor, bounds)
  return bounds
}

/** One search makes thousands of prefilters for the same expected data. */
const boundsKnown = new WeakMap<Tensor, Float64Array>()

/**
 * Stated as errors of float32: a thousand of its roundings. For float64 a million of its own, since
 * there is far more room below the error of a wrong reading. Chaotic networks reach these within a
 * few steps.
 */
const PREFILTER_ROUNDOFF = { f32: 2 ** -14, f64: 2 ** -4 } as const
