/**
 * Changes of a graph that hypotheses make: to its bidirectional halves, its last layer, its layers.
 */

import { createModel, valueShapes } from '../model/graph.ts'
import { isRecurrent } from '../model/layers.ts'
import type { DenseNode, GruNode, LayerNode, Model, RecurrentNode } from '../model/types.ts'
import { type NodeChange, withoutCandidateBias } from './change.ts'
import { type Rounding, rounded } from './rounding.ts'

/** Pairs of layers that read the same values in opposite directions. */
function halves(model: Model): readonly (readonly [RecurrentNode, RecurrentNode])[] {
  const layers = model.nodes.filter(isRecurrent)
  return layers
    .filter(({ direction }) => direction === 'forward')
    .flatMap((forward) => {
      const backward = layers.find(
        (other) =>
          other.direction === 'backward' &&
          other.kind === forward.kind &&
          other.inputs.x === forward.inputs.x,
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
      const from = isRecurrent(node) ? other.get(node) : undefined
      return from === undefined
        ? node
        : {
            ...from,
            name: node.name,
            inputs: node.inputs,
            outputs: node.outputs,
            direction: (node as RecurrentNode).direction,
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
    if (!isRecurrent(node) || !backward.has(node) || !read.has(sequence)) return [node]
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
  const shapes = valueShapes(model.inputs, model.nodes)
  const outputs = model.outputs.map(({ name, value, axes, shape }) => {
    const last = model.nodes.find((node) => Object.values(node.outputs).includes(value))
    const before = last?.inputs.x
    if (before === undefined || known.has(before))
      return { name, value, shape, ...(axes && { axes }) }
    found = true
    // Callers see the axes of the one before in the same order, if it has as many.
    const kept = axes?.length === shapes.get(before)!.length
    return { name, value: before, ...(kept && axes && { axes, shape }) }
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
    (node) => isRecurrent(node) || Object.values(node.outputs).some((value) => read.has(value)),
  )
  return alive.length === nodes.length ? nodes : withoutDeadEnds(alive, wanted)
}

/** The same graph with other nodes, checked again, without repeating its warnings. */
function withNodes(model: Model, nodes: readonly LayerNode[]): Model {
  return createModel({ ...model, nodes, warnings: [] })
}

/**
 * The first step of each GRU without b_hn: a layer of its own for that step, whose state the rest
 * starts from.
 */
export function firstStepWithoutBias(model: Model): Model | null {
  let found = false
  const nodes = model.nodes.flatMap((node): readonly LayerNode[] => {
    const unbiased = node.kind === 'gru' && plainInputs(node) ? withoutCandidateBias(node) : null
    if (node.kind !== 'gru' || unbiased === null) return [node]
    found = true
    return inTwoParts(node, unbiased)
  })
  return found ? withNodes(model, nodes) : null
}

/** Masks and lengths count from the first step, and would have to be cut as well. */
function plainInputs({ inputs }: GruNode): boolean {
  return inputs.mask === undefined && inputs.lengths === undefined
}

function inTwoParts(node: GruNode, first: GruNode): readonly LayerNode[] {
  const { name, inputs, outputs } = node
  const forward = node.direction === 'forward'
  const value = (part: string): string => `${name}.${part}`
  const base = { conventions: [] } as const
  const [one, rest] = [value('x of the first step'), value('x of the rest')]
  const sequences = [value('first'), value('rest')]
  const cut = (part: string, y: string, start: number, end: number | null): LayerNode => ({
    ...base,
    kind: 'slice',
    name: value(part),
    slices: [{ axis: 1, start, end, step: 1 }],
    inputs: { x: inputs.x },
    outputs: { y },
  })
  return [
    forward ? cut('cut first', one, 0, 1) : cut('cut first', one, -1, null),
    forward ? cut('cut rest', rest, 1, null) : cut('cut rest', rest, 0, -1),
    {
      ...first,
      inputs: { ...inputs, x: one },
      outputs: { sequence: sequences[0], state: value('state between') },
    },
    {
      ...node,
      name: value('others'),
      inputs: { x: rest, initialState: value('state between') },
      outputs: { ...outputs, sequence: sequences[1] },
    },
    ...(outputs.sequence === undefined
      ? []
      : [
          {
            ...base,
            kind: 'concat' as const,
            name: value('joined'),
            axis: 1,
            inputs: forward
              ? { 0: sequences[0], 1: sequences[1] }
              : { 0: sequences[1], 1: sequences[0] },
            outputs: { y: outputs.sequence },
          },
        ]),
  ]
}

/** A Dense layer whose weights are rounded as those of recurrent layers are. */
export function roundedDense(kernelsOnly: boolean, rounding: (value: string) => Rounding) {
  return (node: DenseNode, value: string): DenseNode => {
    const { round } = rounding(value)
    const { kernel, bias } = node.weights
    return {
      ...node,
      weights: {
        kernel: rounded(kernel, round),
        bias: kernelsOnly || bias === null ? bias : rounded(bias, round),
      },
    }
  }
}

/** Changes every recurrent layer, or the one named; null where the change has no effect on any. */
export function onLayers(
  model: Model,
  change: NodeChange,
  value: string,
  layer: string | null,
  dense?: (node: DenseNode, value: string) => DenseNode,
): Model | null {
  let found = false
  const nodes = model.nodes.map((node) => {
    if (node.kind === 'dense' && layer === null) return dense?.(node, value) ?? node
    if (!isRecurrent(node) || (layer !== null && node.name !== layer)) return node
    const changed = change(node, value)
    if (changed !== null) found = true
    return changed ?? node
  })
  // Only numbers and attributes change: shapes stay, so nothing has to be checked again.
  return found ? { ...model, nodes } : null
}
