/**
 * Removes the reshapes around TimeDistributed layers where they are not needed. TimeDistributed
 * turns steps into rows, calls the layer that it wraps, and turns rows into steps again. Where
 * everything between works on each vector by itself, it can work on the steps as they are, and so
 * stream.
 */

import type { Dim, LayerKind, LayerNode, ReshapeNode } from '../../model/types.ts'

/** Steps that became rows: [rows, steps, features] → [rows·steps, features]. */
interface Fold {
  readonly node: ReshapeNode
  readonly rows: Dim
  readonly steps: Dim
}

/** Which kinds of layers do the same to each vector, however many axes stand before it. */
const vectorwise: Readonly<Record<Exclude<LayerKind, 'layerNorm'>, boolean>> = {
  dense: true,
  activation: true,
  prelu: true,
  affine: true,
  batchNorm: true,
  merge: true,
  gru: false,
  lstm: false,
  rnn: false,
  reverse: false,
  reshape: false,
  transpose: false,
  expand: false,
  slice: false,
  concat: false,
  pad: false,
  gather: false,
  constant: false,
  range: false,
  binary: false,
  unary: false,
  where: false,
  reduce: false,
  matmul: false,
  softmax: false,
  conv: false,
  convTranspose: false,
  pool: false,
  attention: false,
  multiHeadAttention: false,
  embedding: false,
  masking: false,
  conv1d: false,
}

/** Whether a node does the same to each vector; a layerNorm does where it normalises one axis. */
function isVectorwise(node: LayerNode): boolean {
  return node.kind === 'layerNorm' ? node.axes === 1 : vectorwise[node.kind]
}

const MOST_LOOKS = 2 ** 22

/**
 * The same graph with as few of these reshapes as possible.
 * @param shapes of every value of the graph.
 * @param outputs values that leave the graph; all of them stay.
 */
export function unfolded(
  nodes: readonly LayerNode[],
  shapes: ReadonlyMap<string, readonly Dim[]>,
  outputs: readonly string[],
): readonly LayerNode[] {
  const folds = nodes.flatMap((node) => foldOf(node, shapes) ?? [])
  // Each takes a look at the whole graph. Beyond some thousands, the reshapes may stay.
  if (folds.length * nodes.length > MOST_LOOKS) return nodes
  let kept: readonly LayerNode[] = nodes
  for (const fold of folds) kept = without(fold, folds, kept, shapes, outputs)
  return kept
}

function foldOf(node: LayerNode, shapes: ReadonlyMap<string, readonly Dim[]>): Fold | null {
  if (node.kind !== 'reshape' || node.shape.length !== 2) return null
  const [rows, steps, ...features] = shapes.get(node.inputs.x) ?? []
  return features.length === 1 && features[0] === node.shape[1] ? { node, rows, steps } : null
}

/**
 * The graph without a fold and its ends; the same graph where other kinds of layers lie in between.
 */
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
    // Each value has one end and each end one value, so the value can take the end's name.
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
