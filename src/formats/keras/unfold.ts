/**
 * Layers on every step, without the detour. TimeDistributed makes rows of steps, calls what it wraps
 * and makes steps of rows again; where all that happens between is done to each vector by itself, it
 * can be done to the steps as they are, and so streams.
 */

import type { Dim, LayerNode, ReshapeNode } from '../../model/types.ts'

/** Steps that became rows: [rows, steps, features] → [rows·steps, features]. */
interface Fold {
  readonly node: ReshapeNode
  readonly rows: Dim
  readonly steps: Dim
}

/** Whether a node does the same to each vector, however many axes stand before it. */
function isVectorwise(node: LayerNode): boolean {
  switch (node.kind) {
    case 'dense':
    case 'activation':
    case 'prelu':
    case 'affine':
    case 'batchNorm':
    case 'merge':
      return true
    case 'layerNorm':
      return node.axes === 1
    default:
      return false
  }
}

/**
 * The same graph with as few of these detours as can be.
 * @param shapes of every value of the graph.
 * @param outputs values that leave the graph: none of them disappears.
 */
export function unfolded(
  nodes: readonly LayerNode[],
  shapes: ReadonlyMap<string, readonly Dim[]>,
  outputs: readonly string[],
): readonly LayerNode[] {
  const folds = nodes.flatMap((node) => foldOf(node, shapes) ?? [])
  let kept: readonly LayerNode[] = nodes
  for (const fold of folds) kept = without(fold, folds, kept, shapes, outputs)
  return kept
}

function foldOf(node: LayerNode, shapes: ReadonlyMap<string, readonly Dim[]>): Fold | null {
  if (node.kind !== 'reshape' || node.shape.length !== 2) return null
  const [rows, steps, ...features] = shapes.get(node.inputs.x) ?? []
  return features.length === 1 && features[0] === node.shape[1] ? { node, rows, steps } : null
}

/** The graph without a fold and what belongs to it; as it is where other things are done in between. */
function without(
  fold: Fold,
  folds: readonly Fold[],
  nodes: readonly LayerNode[],
  shapes: ReadonlyMap<string, readonly Dim[]>,
  outputs: readonly string[],
  group: readonly Fold[] = [fold],
): readonly LayerNode[] {
  const { rows, steps } = fold
  if (!nodes.includes(fold.node)) return nodes
  const starts = new Map(group.map(({ node }) => [node.outputs.y, node.inputs.x]))
  const inside = new Set(starts.keys())
  const ends = new Map<string, string>()
  const dropped = new Set<LayerNode>(group.map(({ node }) => node))
  for (const node of nodes) {
    const read = Object.values(node.inputs)
    if (dropped.has(node) || !read.some((value) => inside.has(value))) continue
    if (isVectorwise(node) && read.every((value) => inside.has(value))) {
      for (const value of Object.values(node.outputs)) inside.add(value)
      continue
    }
    // Inputs of one wrapped model are folded in the same way, and go together.
    const other = folds.find(
      (each) =>
        !group.includes(each) &&
        each.rows === rows &&
        each.steps === steps &&
        read.includes(each.node.outputs.y),
    )
    if (other !== undefined) return without(fold, folds, nodes, shapes, outputs, [...group, other])
    const from = read[0]
    const whole = shapes.get(Object.values(node.outputs)[0])
    const unfolds =
      node.kind === 'reshape' &&
      whole?.length === 3 &&
      whole[0] === rows &&
      whole[1] === steps &&
      whole[2] === shapes.get(from)?.at(-1)
    // One value for each end, and an end for one value: then it can have the end's name.
    if (!unfolds || starts.has(from) || ends.has(from)) return nodes
    ends.set(from, node.outputs.y)
    dropped.add(node)
  }
  if (outputs.some((value) => inside.has(value))) return nodes
  const named = (value: string): string => ends.get(value) ?? starts.get(value) ?? value
  const renamed = (ports: Readonly<Record<string, string>>): Record<string, string> =>
    Object.fromEntries(Object.entries(ports).map(([port, value]) => [port, named(value)]))
  return nodes.flatMap((node) =>
    dropped.has(node)
      ? []
      : [{ ...node, inputs: renamed(node.inputs), outputs: renamed(node.outputs) } as LayerNode],
  )
}
