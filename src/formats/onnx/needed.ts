/** Finds the nodes of a graph that its outputs depend on, branches of an If included. */

import type { FunctionProto, GraphProto, NodeProto } from './proto.ts'

/** Which branch each If takes whose condition is known by now. */
export type Branches = ReadonlyMap<NodeProto, GraphProto>

/**
 * The nodes that some values depend on, in the order of the file. Of an If that is yet to be decided,
 * the condition alone is needed.
 */
export function neededNodes(
  nodes: readonly NodeProto[],
  wanted: Iterable<string>,
  branches: Branches,
): { readonly nodes: ReadonlySet<NodeProto>; readonly read: ReadonlySet<string> } {
  const read = new Set(wanted)
  const needed = new Set<NodeProto>()
  for (const node of nodes.toReversed()) {
    if (!node.outputs.some((output) => read.has(output))) continue
    needed.add(node)
    for (const input of node.inputs) read.add(input)
    const branch = branches.get(node)
    if (branch === undefined) continue
    const inside = neededNodes(branch.nodes, namesOf(branch), branches)
    for (const name of inside.read) read.add(name)
  }
  return { nodes: needed, read }
}

/** The needed nodes of a graph, of the branches that are taken, and of the functions they call. */
export function allNeeded(
  nodes: readonly NodeProto[],
  wanted: Iterable<string>,
  branches: Branches,
  functions: ReadonlyMap<string, FunctionProto>,
): ReadonlySet<NodeProto> {
  const found = new Set<NodeProto>()
  const called = new Set<FunctionProto>()
  // A list, not recursion: functions may call each other to any depth.
  const open: [readonly NodeProto[], Iterable<string>][] = [[nodes, wanted]]
  for (let part = open.pop(); part !== undefined; part = open.pop()) {
    for (const node of neededNodes(...part, branches).nodes) {
      found.add(node)
      const branch = branches.get(node)
      if (branch !== undefined) open.push([branch.nodes, namesOf(branch)])
      const call = functions.get(`${node.domain}::${node.type}`)
      if (call === undefined || called.has(call)) continue
      called.add(call)
      open.push([call.nodes, call.outputs])
    }
  }
  return found
}

function namesOf({ outputs }: GraphProto): readonly string[] {
  return outputs.map(({ name }) => name)
}
