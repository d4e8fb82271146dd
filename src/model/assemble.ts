/** Puts nodes together into a Model: wiring, checking, freezing. */

import { GruvError } from '../errors.ts'
import type { Named } from '../tensor.ts'
import type { Signatures } from './shapes/signatures.ts'
import type { Dim, LayerNode, Model, Port, ReferenceData } from './types.ts'

export interface GraphParts {
  readonly name: string
  readonly source: string
  readonly inputs: readonly Port[]
  readonly outputs: readonly {
    readonly name: string
    readonly value: string
    readonly axes?: readonly number[]
    /** Beside `axes`: as long as the port has axes, where the value has others. */
    readonly shape?: readonly Dim[]
  }[]
  readonly nodes: readonly LayerNode[]
  readonly reference?: ReferenceData | null
  readonly warnings?: readonly string[]
}

/**
 * A Model from its parts: every value is produced once and before it is read, every shape fits.
 * Nothing is analysed: `load` adds what there is to say of the trained numbers (`warnings/`).
 * @param signatures of the kinds of layers in it.
 * @throws GruvError `bad-model` or `bad-shape`, naming the node or port.
 */
export function assembleModel(parts: GraphParts, signatures: Signatures): Model {
  const shapes = shapesOfValues(parts.inputs, parts.nodes, signatures)
  const outputs = parts.outputs.map(({ name, value, axes, shape: given }) => {
    const made = shapes.get(value)
    if (made === undefined) throw unknownValue(`output ${name}`, value, shapes)
    const shape = axes ? (given ?? axes).map((_, axis) => made[axes.indexOf(axis)] ?? 1) : made
    return { name, value, shape, ...(axes && { axes }) }
  })
  signatures.checkPorts?.([...parts.inputs, ...outputs], shapes)
  unique('input', parts.inputs)
  unique('output', outputs)
  unique('layer', parts.nodes)
  if (outputs.length === 0 || parts.nodes.length === 0) {
    throw new GruvError('bad-model', 'a model needs at least one layer and one output', {
      where: parts.name,
    })
  }
  return deepFreeze({
    name: parts.name,
    source: parts.source,
    inputs: parts.inputs.map(({ name, shape, axes }) => ({ name, shape, ...(axes && { axes }) })),
    outputs,
    nodes: parts.nodes,
    reference: parts.reference ?? null,
    warnings: [...new Set(parts.warnings)],
  })
}

/** The shape of every value of a graph, by name. */
export function shapesOfValues(
  inputs: readonly Port[],
  nodes: readonly LayerNode[],
  { inputPorts, outputShapes }: Signatures,
): ReadonlyMap<string, readonly Dim[]> {
  const shapes = new Map<string, readonly Dim[]>(
    inputs.map(({ name, shape, axes }) => [name, axes?.map((axis) => shape[axis] ?? 1) ?? shape]),
  )
  for (const node of nodes) {
    const ports = inputPorts(node)
    const arriving: Record<string, readonly Dim[]> = {}
    for (const [port, value] of Object.entries(node.inputs)) {
      const shape = shapes.get(value)
      if (shape === undefined) throw unknownValue(`${node.name}, port ${port}`, value, shapes)
      if (!Object.hasOwn(ports, port)) throw unknownPort(node, port, Object.keys(ports))
      arriving[port] = shape
    }
    for (const [port, need] of Object.entries(ports)) {
      if (need === 'required' && arriving[port] === undefined) {
        throw new GruvError('bad-model', `nothing arrives at port ${port}`, { where: node.name })
      }
    }
    const leaving = outputShapes(node, arriving)
    for (const [port, value] of Object.entries(node.outputs)) {
      if (!Object.hasOwn(leaving, port)) throw unknownPort(node, port, Object.keys(leaving))
      if (shapes.has(value)) {
        throw new GruvError('bad-model', `the value '${value}' is made twice`, { where: node.name })
      }
      shapes.set(value, leaving[port])
    }
  }
  return shapes
}

function unknownValue(
  where: string,
  value: string,
  known: ReadonlyMap<string, unknown>,
): GruvError {
  return new GruvError('bad-model', `reads the value '${value}', which no earlier layer makes`, {
    where,
    expected: `one of ${[...known.keys()].join(', ')}`,
  })
}

function unknownPort(node: LayerNode, port: string, ports: readonly string[]): GruvError {
  return new GruvError('bad-model', `a ${node.kind} layer has no port '${port}' on that side`, {
    where: node.name,
    expected: `one of ${ports.join(', ')}`,
  })
}

function unique(what: string, items: readonly { readonly name: string }[]): void {
  const seen = new Set<string>()
  for (const { name } of items) {
    if (seen.has(name)) throw new GruvError('bad-model', `two ${what}s are called '${name}'`)
    seen.add(name)
  }
}

/** Freezes objects and arrays all the way down; typed arrays cannot be frozen and stay as they are. */
function deepFreeze<T>(value: T): T {
  if (
    typeof value !== 'object' ||
    value === null ||
    ArrayBuffer.isView(value) ||
    Object.isFrozen(value)
  )
    return value
  for (const inner of Object.values(value as Named<unknown>)) deepFreeze(inner)
  return Object.freeze(value)
}
