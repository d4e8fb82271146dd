/** Inputs and expected outputs of a diagnosis, with all their axes. */

import { GruvError } from '../errors.ts'
import { permuteAxes } from '../model/axes.ts'
import { createModel } from '../model/graph.ts'
import { isRecurrent, statesOf } from '../model/layers.ts'
import type { Model, Port } from '../model/types.ts'
import { readInputs } from '../runtime/run/inputs.ts'
import { type MaskOptions, type Masks, readMasks } from '../runtime/run/masks.ts'
import { readStates } from '../runtime/run/states.ts'
import { type Named, showShape, type Tensor, type TensorLike } from '../tensor.ts'
import { type Axes, align, asSequences } from '../verify/layout.ts'
import { inGraph, openExtents } from '../verify/open-extents.ts'
import { deriveTolerance, largestMagnitude, producerPrecision } from '../verify/tolerance.ts'
import {
  type Extents,
  inputsForModel,
  masksForModel,
  type RunChange,
  statesForModel,
} from './runs.ts'

/** The expected numbers of one output, with the row and step of each vector. */
export interface Target {
  readonly name: string
  /** [rows, steps, width], or the last step alone. */
  readonly tensor: Tensor
  readonly width: number
  /** Whether the model's output runs over time. */
  readonly overTime: boolean
  /** Row and step of each vector in `tensor`, two numbers each. */
  readonly places: Int32Array
}

export interface Data {
  readonly extents: Extents
  /** In the graph's order, with all axes. */
  readonly inputs: Named<Tensor>
  /** The inputs that run over time. */
  readonly timed: ReadonlySet<string>
  readonly initial: ReadonlyMap<string, Tensor>
  /** Which steps count, as the caller says. */
  readonly masks: Masks | null
  readonly targets: readonly Target[]
}

/** The data without the expected numbers, which depend on a model's outputs. */
export type InputData = Omit<Data, 'targets'>

export interface DiagnoseData extends MaskOptions {
  /** One tensor for a model with one input, else tensors by name. */
  readonly input: TensorLike | Named<TensorLike>
  /** One tensor for the first output, or tensors by output or final state name. */
  readonly expected: TensorLike | Named<TensorLike>
  readonly initialState?: TensorLike | Named<TensorLike>
}

/** Expected numbers as callers gave them, and how to lay them over outputs. */
export interface Expected {
  readonly tensors: Named<Tensor>
  /** The ports of the outputs, by name: callers may lay their axes out differently. */
  readonly ports: Named<Port>
  /** Extents behind symbols other than rows and steps, as the caller's run has them. */
  readonly symbols: ReadonlyMap<string, number>
}

/**
 * The model as the search sees it: open extents, axes in the graph's order, and an output for each
 * final state that is expected.
 */
export function plainModel(source: Model, names: readonly string[]): Model {
  const open = openExtents(source)
  const inputs = open.inputs.map((port) => ({ name: port.name, shape: inGraph(port) }))
  const outputs = open.outputs.map(({ name, value }) => ({ name, value }))
  return withStateOutputs(createModel({ ...open, inputs, outputs, warnings: [] }), names)
}

/** The ports, in the graph's order, that run over time. */
export function timedPorts(ports: readonly Port[]): ReadonlySet<string> {
  const timed = ports.filter((port) => {
    const shape = inGraph(port)
    return shape[1] === 'time' || (shape.length > 2 && typeof shape[1] === 'number')
  })
  return new Set(timed.map(({ name }) => name))
}

/** Makes an output of each final state that is expected. */
function withStateOutputs(model: Model, names: readonly string[]): Model {
  const missing = names.filter((name) => !model.outputs.some((port) => port.name === name))
  if (missing.length === 0) return model
  const ports = { h: 'state', c: 'cell' } as const
  const added: { readonly name: string; readonly value: string }[] = []
  const nodes = model.nodes.map((node) => {
    const outputs: Record<string, string> = { ...node.outputs }
    for (const name of isRecurrent(node) ? missing : []) {
      const slot = name.slice(node.name.length + 1)
      if (name !== `${node.name}.${slot}` || !(slot === 'h' || slot === 'c')) continue
      if (!statesOf(node).some((state) => state.name === name)) continue
      outputs[ports[slot]] ??= `${node.name}.final ${slot}`
      added.push({ name, value: outputs[ports[slot]] })
    }
    return { ...node, outputs }
  })
  const outputs = [...model.outputs.map(({ name, value }) => ({ name, value })), ...added]
  return createModel({ ...model, nodes, outputs, warnings: [] })
}

/** float64 files often hold float32 numbers, which can only be compared to float32. */
export function inTruePrecision(tensor: Tensor): Tensor {
  const wide = tensor.printed === undefined && (tensor.dtype ?? 'float64') === 'float64'
  if (!wide || tensor.data instanceof Float32Array) return tensor
  if (!tensor.data.every((value) => Object.is(Math.fround(value), value))) return tensor
  return { shape: tensor.shape, data: Float32Array.from(tensor.data) }
}

/** @param source the model as the caller sees it, whose inputs may have another order of axes. */
export function readInputData(
  source: Model,
  model: Model,
  { input, initialState, mask, lengths }: DiagnoseData,
): InputData {
  const inputs = readInputs(source.inputs, input)
  const { batch, steps } = inputs
  const given = { ...(mask !== undefined && { mask }), ...(lengths !== undefined && { lengths }) }
  return {
    extents: { rows: batch, steps },
    inputs: Object.fromEntries(inputs.tensors),
    timed: timedPorts(model.inputs),
    initial: readStates(model.nodes.flatMap(statesOf), initialState, () => batch),
    masks: readMasks(given, batch, steps),
  }
}

/**
 * Lays the expected numbers over the outputs of a model; null when the shapes do not fit, as when
 * the data was taken before the last layer.
 */
export function layOut(
  model: Model,
  { tensors, ports, symbols }: Expected,
  { rows, steps }: Extents,
): readonly Target[] | null {
  const targets: Target[] = []
  for (const [name, tensor] of Object.entries(tensors)) {
    const port = model.outputs.find((output) => output.name === name)
    if (port === undefined) return null
    const shape: number[] = []
    for (const dim of port.shape) {
      const known = dim === 'batch' ? rows : dim === 'time' ? steps : symbols.get(String(dim))
      const extent = typeof dim === 'number' ? dim : known
      if (extent === undefined) return null
      shape.push(extent)
    }
    const axes = { row: port.shape.indexOf('batch'), time: port.shape.indexOf('time') }
    const laid = layOver(tensor, shape, axes, ports[name])
    if (laid === null) return null
    const sequences = asSequences(laid.tensor, axes)
    const [count, perRow, width] = sequences.shape
    const places = new Int32Array(2 * count * perRow)
    for (let i = 0; i < count * perRow; i++) {
      places[2 * i] = Math.floor(i / perRow)
      places[2 * i + 1] = axes.time < 0 || laid.lastStepOnly ? steps - 1 : i % perRow
    }
    targets.push({ name, tensor: sequences, width, overTime: axes.time >= 0, places })
  }
  return targets
}

/** A shape of the graph as a port lays it out. */
function seenBy({ shape, axes }: Port, extents: readonly number[]): readonly number[] {
  return axes === undefined ? extents : shape.map((_, axis) => extents[axes.indexOf(axis)] ?? 1)
}

/** Expected numbers in the graph's order, whatever the order in which the caller sees the axes. */
function layOver(tensor: Tensor, shape: readonly number[], axes: Axes, port: Port | undefined) {
  const order = port?.axes
  if (port === undefined || order?.length !== shape.length) return align(tensor, shape, axes)
  const seen = seenBy(port, shape)
  const at = (axis: number): number => (axis < 0 ? axis : order[axis])
  const aligned = align(tensor, seen, { row: at(axes.row), time: at(axes.time) })
  return aligned && { ...aligned, tensor: permuteAxes(aligned.tensor, order) }
}

/**
 * The data as the model sees it under a change of the run; null where that changes nothing in it, or
 * where the data cannot be rearranged so.
 */
export function dataUnder(data: Data, given: RunChange, model: Model): Data | null {
  const { extents, inputs, initial, targets, timed, masks } = data
  const change = targets.some(({ overTime }) => overTime) ? given : (given.timeless ?? given)
  if (!targets.every(({ overTime }) => change.applies(extents, overTime))) return null
  const dropsState = change.initialState === 'dropped'
  if (dropsState && initial.size === 0) return null
  if (!dropsState && timed.size === 0) return null
  const there = change.extents(extents)
  const timeless = Object.keys(inputs).some((name) => !timed.has(name))
  if (there.rows !== extents.rows && timeless) return null
  if (change.fillsUp?.(extents) === true && !isCausal(model)) return null
  const states = statesForModel(change, initial, extents)
  const moved = masks && masksForModel(change, masks, extents)
  if (states === null || (masks !== null && moved === null)) return null
  return {
    extents: there,
    inputs: inputsForModel(change, inputs, extents, timed),
    timed,
    initial: dropsState ? new Map() : states,
    masks: moved,
    targets: targets.map((target) => {
      const places = target.places.slice()
      for (let i = 0; i < places.length; i += 2)
        places.set(change.output(places[i], places[i + 1], extents), i)
      return { ...target, places }
    }),
  }
}

/** Whether no layer reads a sequence from its end. */
export function isCausal({ nodes }: Model): boolean {
  return nodes.every((node) =>
    isRecurrent(node) ? node.direction === 'forward' : node.kind !== 'reverse',
  )
}

/**
 * The error that a right candidate may have on a short prefix. Generous, since this is only a
 * prefilter, and far below the error of a wrong reading.
 */
export function prefilterBounds({ tensor }: Target): Float64Array {
  const known = boundsKnown.get(tensor.data)
  if (known !== undefined) return known
  const scale = largestMagnitude(tensor.data)
  const tolerance = deriveTolerance({
    expected: tensor,
    precision: 'f64',
    float32Error: PREFILTER_ROUNDOFF[producerPrecision(tensor)] * Math.max(scale, Number.MIN_VALUE),
    approximated: true,
  })
  const bounds = Float64Array.from(tensor.data, (value) => 2 * tolerance.at(value))
  boundsKnown.set(tensor.data, bounds)
  return bounds
}

/** One search makes thousands of prefilters for the same expected data. */
const boundsKnown = new WeakMap<Tensor['data'], Float64Array>()

/**
 * Stated as errors of float32: a thousand of its roundings. For float64 a million of its own, since
 * there is far more room below the error of a wrong reading. Chaotic networks reach these within a
 * few steps.
 */
const PREFILTER_ROUNDOFF = { f32: 2 ** -14, f64: 2 ** -4 } as const

/** The error where no reading has outputs of these shapes. @param shapes in the graph's order. */
export function nothingFits(
  { tensors, ports }: Expected,
  shapes: Named<readonly number[]>,
): GruvError {
  const [[name, { shape }]] = Object.entries(tensors)
  const port = ports[name]
  const seen = port === undefined ? shapes[name] : seenBy(port, shapes[name])
  return new GruvError('bad-shape', 'the expected data does not have the shape of the output', {
    where: `expected ${name}`,
    expected: showShape(seen),
    got: showShape(shape),
    fix: 'Do input and expected data belong together?',
  })
}
