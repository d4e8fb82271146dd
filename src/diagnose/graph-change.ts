/**
 * Changes of a graph that hypotheses make: to its bidirectional halves, its last layer, its layers.
 */

import { createModel } from '../model/graph.ts'
import type { GruNode, LayerNode, Model } from '../model/types.ts'
import { isGru, type NodeChange } from './change.ts'

/** Pairs of layers that read the same values in opposite directions. */
function halves(model: Model): readonly (readonly [GruNode, GruNode])[] {
  const layers = model.nodes.filter(isGru)
  return layers
    .filter(({ direction }) => direction === 'forward')
    .flatMap((forward) => {
      const backward = layers.find(
        (other) => other.direction === 'backward' && other.inputs.x === forward.inputs.x,
      )
      return backward === undefined ? [] : [[forward, backward] as const]
    })
}

/** Each half of a Bidirectional layer with the weights of the other half. */
export function halfWeightsSwapped(model: Model): Model | null {
  const pairs = halves(model)
  if (pairs.length === 0) return null
  const other = new Map(pairs.flatMap(([a, b]) => [[a, b] as const, [b, a] as const]))
  return withNodes(
    model,
    model.nodes.map((node) => {
      const from = isGru(node) ? other.get(node) : undefined
      return from === undefined
        ? node
        : {
            ...from,
            name: node.name,
            inputs: node.inputs,
            outputs: node.outputs,
            direction: (node as GruNode).direction,
          }
    }),
  )
}

/** The halves concatenated in the other order. */
export function halvesSwapped(model: Model): Model | null {
  const made = new Set(
    halves(model).flatMap((pair) => pair.flatMap((n) => Object.values(n.outputs))),
  )
  let found = false
  const nodes = model.nodes.map((node) => {
    const parts = Object.entries(node.inputs)
    if (node.kind !== 'merge' || node.mode !== 'concatenate' || parts.length !== 2) return node
    if (!parts.every(([, value]) => made.has(value))) return node
    found = true
    const [[a, first], [b, second]] = parts
    return { ...node, inputs: { [a]: second, [b]: first } }
  })
  return found ? withNodes(model, nodes) : null
}

/** The backward half in the order in which it computes, not reversed again. */
export function backwardUnaligned(model: Model): Model | null {
  const backward = new Set(halves(model).map(([, node]) => node))
  const read = new Set([
    ...model.nodes.flatMap(({ inputs }) => Object.values(inputs)),
    ...model.outputs.map(({ value }) => value),
  ])
  let found = false
  const nodes = model.nodes.flatMap((node): readonly LayerNode[] => {
    const sequence = node.outputs.sequence
    if (!isGru(node) || !backward.has(node) || !read.has(sequence)) return [node]
    found = true
    const computed = `${sequence}.computed`
    return [
      { ...node, outputs: { ...node.outputs, sequence: computed } },
      {
        kind: 'reverse',
        name: `${node.name}.computed`,
        inputs: { x: computed },
        outputs: { y: sequence },
        conventions: [],
      },
    ]
  })
  return found ? withNodes(model, nodes) : null
}

/** The outputs taken before the last layer. */
export function beforeLastLayer(model: Model): Model | null {
  let found = false
  const known = new Set(model.inputs.map(({ name }) => name))
  const outputs = model.outputs.map(({ name, value }) => {
    const last = model.nodes.find((node) => Object.values(node.outputs).includes(value))
    const before = last?.inputs.x
    if (before === undefined || known.has(before)) return { name, value }
    found = true
    return { name, value: before }
  })
  if (!found) return null
  const nodes = withoutDeadEnds(model.nodes, new Set(outputs.map(({ value }) => value)))
  return createModel({ ...model, nodes, outputs, warnings: [] })
}

/** Without layers whose outputs are unused; those with a state stay, since it can be given. */
function withoutDeadEnds(
  nodes: readonly LayerNode[],
  wanted: ReadonlySet<string>,
): readonly LayerNode[] {
  const read = new Set([...wanted, ...nodes.flatMap(({ inputs }) => Object.values(inputs))])
  const alive = nodes.filter(
    (node) => isGru(node) || Object.values(node.outputs).some((value) => read.has(value)),
  )
  return alive.length === nodes.length ? nodes : withoutDeadEnds(alive, wanted)
}

/** The same graph with other nodes, checked again, without repeating its warnings. */
function withNodes(model: Model, nodes: readonly LayerNode[]): Model {
  return createModel({ ...model, nodes, warnings: [] })
}

/** Changes every GRU layer, or the one named; null where the change has no effect on any. */
export function onLayers(
  model: Model,
  change: NodeChange,
  value: string,
  layer: string | null,
): Model | null {
  let found = false
  const nodes = model.nodes.map((node) => {
    if (!isGru(node) || (layer !== null && node.name !== layer)) return node
    const changed = change(node, value)
    if (changed !== null) found = true
    return changed ?? node
  })
  // Only numbers and attributes change: shapes stay, so nothing has to be checked again.
  return found ? { ...model, nodes } : null
}
