/** Writes ONNX, opset 17, always with an explicit `linear_before_reset`. */

import { valueShapes } from '../../model/graph.ts'
import { isRecurrent } from '../../model/layers.ts'
import type { Model, OutputPort } from '../../model/types.ts'
import type { Named } from '../../tensor.ts'
import { cannotHold, type Written } from '../target.ts'
import { singleModel, withoutMergedBiases } from '../weights.ts'
import { FLOAT, INT64, OnnxBuilder, type ValueInfo } from './builder.ts'
import { addLayer } from './layers.ts'
import { addRecurrent } from './recurrent.ts'

/** @throws GruvError `unsupported` for layers that ONNX has no operators for. */
export async function writeOnnx(source: Model): Promise<Written> {
  const g = new OnnxBuilder()
  const notes: string[] = []
  const model = withoutMergedBiases(source, notes)
  const shapes = valueShapes(model.inputs, model.nodes)
  // Ports first, so that they keep their names even where values have the same ones.
  for (const { name } of [...model.inputs, ...model.outputs]) g.unique(name)
  const names = new Map<string, string>()
  g.enter('inputs')
  for (const { name, shape, axes } of model.inputs)
    names.set(name, axes === undefined ? name : laidOut(g, name, shape.length, axes))
  const direct = directOutputs(model)
  const nameFor = (value: string): string => direct.get(value) ?? g.unique(value)

  for (const node of model.nodes) {
    g.enter(node.name)
    const inputs = Object.fromEntries(
      Object.entries(node.inputs).map(([port, value]) => [port, names.get(value)!]),
    )
    if (isRecurrent(node)) {
      const outputs: Named<string> = Object.fromEntries(
        Object.entries(node.outputs).map(([port, value]) => [port, nameFor(value)]),
      )
      addRecurrent(g, node, inputs, outputs, notes)
      for (const [port, value] of Object.entries(node.outputs)) names.set(value, outputs[port])
      continue
    }
    const other = Object.keys(node.outputs).find((port) => port !== 'y')
    if (other !== undefined) throw cannotHold('ONNX', node, `the port ${other}`)
    const arriving = Object.fromEntries(
      Object.entries(node.inputs).map(([port, value]) => [port, shapes.get(value)!]),
    )
    const value = node.outputs.y
    names.set(value, addLayer(node, { g, inputs, shapes: arriving, shape: shapes.get(value)! }))
  }
  g.enter('outputs')
  for (const port of model.outputs) {
    const made = names.get(port.value)!
    if (made === port.name) continue
    const { name, shape, axes } = port
    if (axes === undefined) g.op('Identity', [made], {}, name)
    else {
      const places = shape.map((_, axis) => axes.indexOf(axis))
      laidOut(g, made, axes.length, places, name)
    }
  }
  const info = (port: { name: string; shape: ValueInfo['shape'] }, type: number): ValueInfo => ({
    name: port.name,
    shape: port.shape,
    type,
  })
  const bytes = g.finish(
    model.name,
    model.inputs.map((port) => info(port, isIndices(model, port.name) ? INT64 : FLOAT)),
    model.outputs.map((port) => info(port, FLOAT)),
  )
  return { bytes, notes, held: singleModel(model) }
}

/** Values of recurrent layers that can have the name of an output directly. */
function directOutputs({ nodes, outputs }: Model): ReadonlyMap<string, string> {
  const made = new Set(nodes.filter(isRecurrent).flatMap((node) => Object.values(node.outputs)))
  const direct = new Map<string, string>()
  for (const { name, value, axes } of outputs as readonly OutputPort[])
    if (made.has(value) && axes === undefined && !direct.has(value)) direct.set(value, name)
  return direct
}

/** Whether an input holds indices, which are whole numbers in ONNX. */
function isIndices({ nodes }: Model, name: string): boolean {
  const readers = nodes.filter((node) => Object.values(node.inputs).includes(name))
  return readers.length > 0 && readers.every(({ kind }) => kind === 'embedding')
}

/**
 * A value of so many axes laid out anew: axis i is axis `axes[i]` of it, −1 is an extent of one, and
 * axes that are left out are of extent one.
 */
function laidOut(
  g: OnnxBuilder,
  x: string,
  rank: number,
  axes: readonly number[],
  name?: string,
): string {
  const kept = axes.filter((axis) => axis >= 0)
  const rising = kept.toSorted((a, b) => a - b)
  const dropped = Array.from({ length: rank }, (_, axis) => axis).filter((a) => !kept.includes(a))
  const added = axes.flatMap((axis, i) => (axis < 0 ? [i] : []))
  const moves: readonly ((x: string, name?: string) => string)[] = [
    (x, name) => g.op('Squeeze', [x, g.ints(dropped)], {}, name),
    (x, name) =>
      g.op('Transpose', [x], { perm: { ints: kept.map((axis) => rising.indexOf(axis)) } }, name),
    (x, name) => g.op('Unsqueeze', [x, g.ints(added)], {}, name),
  ]
  const turns = kept.some((axis, i) => axis !== rising[i])
  const needed = [dropped.length > 0, turns, added.length > 0]
  const chain = moves.filter((_, i) => needed[i])
  return chain.reduce((value, move, i) => move(value, i === chain.length - 1 ? name : undefined), x)
}
