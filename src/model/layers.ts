/**
 * What each kind of layer is to the outside: its ports, the shapes that go through them, the state
 * it carries. How a layer is computed stands in the runtime's table.
 */

import { GruvError } from '../errors.ts'
import { type Named, showShape, type Tensor } from '../tensor.ts'
import type { DenseNode, Dim, GruNode, LayerKind, LayerNode, MergeNode } from './types.ts'

interface StateSlot {
  /** `h`; with the node's name before it, `gru.h` names the state everywhere. */
  readonly name: string
  readonly size: number
}

interface LayerShape<N extends LayerNode> {
  /** Input ports, and whether a graph may leave them open. */
  readonly inputs: (node: N) => Readonly<Record<string, 'required' | 'optional'>>
  /** The shape at each output port, from those at the input ports. */
  readonly outputs: (node: N, inputs: Named<readonly Dim[]>) => Named<readonly Dim[]>
  readonly states: (node: N) => readonly StateSlot[]
  /** Every array of trained numbers, by the path it has in `weights`. */
  readonly weights: (node: N) => Named<Tensor>
}

type LayerShapes = { readonly [K in LayerKind]: LayerShape<Extract<LayerNode, { kind: K }>> }

const layerShapes: LayerShapes = {
  gru: {
    inputs: () => ({ x: 'required', initialState: 'optional' }),
    outputs: gruOutputs,
    states: (node) => [{ name: 'h', size: node.units }],
    weights: gruWeights,
  },
  dense: {
    inputs: () => ({ x: 'required' }),
    outputs: denseOutputs,
    states: () => [],
    weights: ({ weights: { kernel, bias } }) => (bias === null ? { kernel } : { kernel, bias }),
  },
  merge: {
    inputs: (node) =>
      Object.fromEntries(Object.keys(node.inputs).map((port) => [port, 'required'])),
    outputs: mergeOutputs,
    states: () => [],
    weights: () => ({}),
  },
  reverse: {
    inputs: () => ({ x: 'required' }),
    outputs: (node, { x }) => {
      fits(node, 'x', x, ['batch', 'time', x.at(-1)!])
      return { y: x }
    },
    states: () => [],
    weights: () => ({}),
  },
}

/** The description of this node's kind, typed for the node at hand. */
function shapeOf<N extends LayerNode>(node: N): LayerShape<N> {
  // The table's type ties each kind to its node; TypeScript cannot follow that through an index.
  return layerShapes[node.kind] as unknown as LayerShape<N>
}

export function inputPorts(node: LayerNode): Readonly<Record<string, 'required' | 'optional'>> {
  return shapeOf(node).inputs(node)
}

/** @throws GruvError `bad-shape` naming the node, when an input's shape does not fit it. */
export function outputShapes(
  node: LayerNode,
  inputs: Named<readonly Dim[]>,
): Named<readonly Dim[]> {
  return shapeOf(node).outputs(node, inputs)
}

/** The states a node carries from step to step, named `node.slot`. */
export function statesOf(node: LayerNode): readonly StateSlot[] {
  return shapeOf(node)
    .states(node)
    .map(({ name, size }) => ({ name: `${node.name}.${name}`, size }))
}

/** Every array of trained numbers of a node. */
export function weightsOf(node: LayerNode): Named<Tensor> {
  return shapeOf(node).weights(node)
}

function gruOutputs(
  node: GruNode,
  { x, initialState }: Named<readonly Dim[]>,
): Named<readonly Dim[]> {
  fits(node, 'x', x, ['batch', 'time', node.features])
  if (initialState !== undefined) fits(node, 'initialState', initialState, ['batch', node.units])
  return { sequence: ['batch', 'time', node.units], last: ['batch', node.units] }
}

function gruWeights({ weights }: GruNode): Named<Tensor> {
  const named: Record<string, Tensor> = {}
  for (const [array, gates] of Object.entries(weights)) {
    if (gates === null) continue
    for (const gate of ['z', 'r', 'n'] as const) named[`${array}.${gate}`] = gates[gate]
  }
  return named
}

function denseOutputs(node: DenseNode, { x }: Named<readonly Dim[]>): Named<readonly Dim[]> {
  const leading = x.length === 3 ? (['batch', 'time'] as const) : (['batch'] as const)
  fits(node, 'x', x, [...leading, node.features])
  return { y: [...leading, node.units] }
}

function mergeOutputs(node: MergeNode, inputs: Named<readonly Dim[]>): Named<readonly Dim[]> {
  const shapes = Object.entries(inputs)
  if (shapes.length === 0) {
    throw new GruvError('bad-model', 'nothing is merged', {
      where: node.name,
      expected: 'at least one input',
    })
  }
  const [, first] = shapes[0]
  const leading = first.slice(0, -1)
  for (const [port, shape] of shapes) {
    fits(node, port, shape, node.mode === 'concatenate' ? [...leading, shape.at(-1)!] : first)
  }
  const width = shapes.reduce((sum, [, shape]) => sum + (shape.at(-1) as number), 0)
  return { y: node.mode === 'concatenate' ? [...leading, width] : first }
}

function fits(node: LayerNode, port: string, got: readonly Dim[], expected: readonly Dim[]): void {
  if (got.length === expected.length && got.every((extent, axis) => extent === expected[axis]))
    return
  throw new GruvError('bad-shape', `this ${node.kind} layer cannot take that`, {
    where: `${node.name}, port ${port}`,
    expected: showShape(expected),
    got: showShape(got),
  })
}
