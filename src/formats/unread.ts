/** Leaves out the nodes and ports of a graph that no output depends on. */

import type { LayerNode } from '../model/types.ts'

/** @param outputs the values that leave the graph. */
export function withoutUnread(
  nodes: readonly LayerNode[],
  outputs: readonly string[],
): readonly LayerNode[] {
  const read = new Set(outputs)
  const kept: LayerNode[] = []
  for (const node of nodes.toReversed()) {
    const ports = Object.entries(node.outputs).filter(([, value]) => read.has(value))
    if (ports.length === 0) continue
    for (const value of Object.values(node.inputs)) read.add(value)
    kept.push({ ...node, outputs: Object.fromEntries(ports) } as LayerNode)
  }
  return kept.reverse()
}
