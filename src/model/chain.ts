/** Wires layers one after the other into a graph. */

import type { GraphParts } from './graph.ts'
import type { LayerNode, Unwired } from './types.ts'

/** A layer of a chain before it is wired: one node, or several that belong together. */
export interface ChainLink {
  readonly name: string
  /** The number of input features. */
  readonly features: number
  /** Makes its nodes, given the value they read and their name. */
  readonly wire: (input: string, name: string) => readonly LayerNode[]
}

/** A chain link of one node; the next layer reads its output `port`. */
export function link(node: Unwired, features: number, port: string): ChainLink {
  return {
    name: node.name,
    features,
    // Spreading keeps the union member; TypeScript only sees the union's common part.
    wire: (x, name) => [
      { ...node, name, inputs: { x }, outputs: { [port]: `${name}.${port}` } } as LayerNode,
    ],
  }
}

/**
 * Wires layers one after the other, from the input `x` to the output `y`.
 * Layers of the same name are numbered: `gru`, `gru_1`.
 */
export function chain(
  links: readonly ChainLink[],
): Pick<GraphParts, 'inputs' | 'outputs' | 'nodes'> {
  const seen = new Map<string, number>()
  const nodes: LayerNode[] = []
  let value = 'x'
  for (const { name, wire } of links) {
    const count = seen.get(name) ?? 0
    seen.set(name, count + 1)
    nodes.push(...wire(value, count === 0 ? name : `${name}_${count}`))
    value = Object.values(nodes.at(-1)!.outputs)[0]
  }
  return {
    inputs: [{ name: 'x', shape: ['batch', 'time', links[0].features] }],
    outputs: [{ name: 'y', value }],
    nodes,
  }
}
