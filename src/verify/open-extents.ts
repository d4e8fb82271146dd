/** Opens the extents that a file fixed, so that rows and timesteps can be told apart. */

import { isGruvError } from '../errors.ts'
import { createModel } from '../model/graph.ts'
import { outputShapes } from '../model/layers.ts'
import type { Dim, LayerNode, Model, Port } from '../model/types.ts'

/** Ways to read fixed extents that are tried before a model stays as it is. */
const MOST_READINGS = 16

/**
 * The same model for any number of rows and timesteps, with `batch` and `time` in the place of fixed
 * extents; the model itself where its layers need the numbers.
 */
export function openExtents(model: Model): Model {
  if (model.inputs.every(({ shape }) => shape.every((dim, axis) => isOpen(shape, dim, axis))))
    return model
  for (const inputs of readingsOf(model.inputs)) {
    try {
      const nodes = openNodes(model, inputs)
      return createModel({ ...model, inputs, nodes, warnings: [] })
    } catch (error) {
      if (!isGruvError(error)) throw error
    }
  }
  return model
}

/** The last of several axes holds features. */
function isOpen(shape: readonly Dim[], dim: Dim, axis: number): boolean {
  return typeof dim === 'string' || (axis === shape.length - 1 && axis > 0)
}

/** The ports with their first axes open, the most open reading first. */
function readingsOf(ports: readonly Port[]): readonly (readonly Port[])[] {
  let readings: readonly (readonly Port[])[] = [[]]
  for (const port of ports) {
    const options = optionsOf(port)
    readings = readings.flatMap((before) => options.map((option) => [...before, option]))
    if (readings.length > MOST_READINGS) return []
  }
  return readings
}

/** A port [rows, units] may be [rows, timesteps] of tokens. */
function optionsOf(port: Port): readonly Port[] {
  const { shape, axes } = port
  const seen = inGraph(port)
  const counts = shape.length === 2 ? [2, 1] : [Math.min(2, shape.length)]
  return counts.map((count) => {
    const open = seen.map((dim, axis) =>
      axis < count && typeof dim === 'number' ? (axis === 0 ? 'batch' : 'time') : dim,
    )
    const inPort = axes && shape.map((dim, axis) => open[axes.indexOf(axis)] ?? dim)
    return { ...port, shape: inPort ?? open }
  })
}

/** The shape of a port's value, in the order of the graph. */
export function inGraph({ shape, axes }: Port): readonly Dim[] {
  return axes?.map((axis) => shape[axis] ?? 1) ?? shape
}

/** The nodes, with symbols in the shapes that they state. */
function openNodes(model: Model, inputs: readonly Port[]): readonly LayerNode[] {
  const fixed = new Map(model.inputs.map((port) => [port.name, inGraph(port)]))
  const open = new Map(inputs.map((port) => [port.name, inGraph(port)]))
  const leave = (node: LayerNode, shapes: Map<string, readonly Dim[]>): void => {
    const arriving = Object.entries(node.inputs).map(([port, name]) => [port, shapes.get(name)!])
    const leaving = outputShapes(node, Object.fromEntries(arriving))
    for (const [port, value] of Object.entries(node.outputs)) shapes.set(value, leaving[port])
  }
  return model.nodes.map((node) => {
    leave(node, fixed)
    const states = node.kind === 'reshape' || node.kind === 'expand'
    const x = node.inputs.x
    const opened = states
      ? { ...node, shape: openShape(node.shape, fixed.get(x)!, open.get(x)!) }
      : node
    leave(opened, open)
    return opened
  })
}

/** The leading extents of a stated shape that are those of x, apart from extents of one. */
function openShape(
  stated: readonly Dim[],
  fixed: readonly Dim[],
  open: readonly Dim[],
): readonly Dim[] {
  let j = 0
  let same = true
  return stated.map((dim) => {
    while (same && j < fixed.length && fixed[j] === 1 && dim !== 1 && open[j] === 1) j++
    if (same && dim === fixed[j]) return open[j++]
    if (dim !== 1) same = false
    return dim
  })
}
