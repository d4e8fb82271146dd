/** Summarises a model as plain data, which `inspect` prints. */

import { type DType, dtypeOf, sizeOf } from '../tensor.ts'
import type { Convention } from './conventions/conventions.ts'
import { valueShapes } from './graph.ts'
import { statesOf } from './layers.ts'
import type { Dim, LayerKind, LayerNode, Model, Port } from './types.ts'
import { weightsOf } from './weights.ts'

export interface LayerSummary {
  readonly name: string
  readonly kind: LayerKind
  readonly units: number
  readonly inputs: readonly Port[]
  readonly outputs: readonly Port[]
  /** The number of trained numbers. */
  readonly parameters: number
  /** The storage types of its arrays, each once: `float32`, or `float16, float32`. */
  readonly storage: readonly DType[]
  readonly states: readonly { readonly name: string; readonly size: number }[]
  readonly conventions: readonly Convention[]
}

export interface ModelSummary {
  readonly name: string
  readonly source: string
  readonly inputs: readonly Port[]
  readonly outputs: readonly Port[]
  readonly parameters: number
  readonly layers: readonly LayerSummary[]
  readonly warnings: readonly string[]
}

export function summarize(model: Model): ModelSummary {
  const shapes = valueShapes(model.inputs, model.nodes)
  const layers = model.nodes.map((node) => summarizeLayer(node, shapes))
  return {
    name: model.name,
    source: model.source,
    inputs: model.inputs,
    outputs: model.outputs.map(({ name, shape }) => ({ name, shape })),
    parameters: layers.reduce((sum, { parameters }) => sum + parameters, 0),
    layers,
    warnings: model.warnings,
  }
}

function summarizeLayer(
  node: LayerNode,
  shapes: ReadonlyMap<string, readonly Dim[]>,
): LayerSummary {
  const weights = Object.values(weightsOf(node))
  const ports = (side: Readonly<Record<string, string>>): Port[] =>
    Object.entries(side).map(([name, value]) => ({ name, shape: shapes.get(value)! }))
  return {
    name: node.name,
    kind: node.kind,
    units: shapes.get(Object.values(node.outputs)[0])!.at(-1) as number,
    inputs: ports(node.inputs),
    outputs: ports(node.outputs),
    parameters: weights.reduce((sum, { shape }) => sum + sizeOf(shape), 0),
    storage: [...new Set(weights.map(dtypeOf))],
    states: statesOf(node),
    conventions: node.conventions,
  }
}
