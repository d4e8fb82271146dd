/** Describes a model for the page. */

import { compileSync, type Model } from '../../src/index.ts'
import {
  equations,
  isRecurrent,
  type LayerNode,
  type ModelSummary,
  type RecurrentNode,
  showActivation,
  summarize,
} from '../../src/model/index.ts'
import type { CellInfo, Edge, ModelInfo, WeightArray } from './protocol.ts'

export function describe(model: Model, quirks: readonly string[]): ModelInfo {
  const program = compileSync(model)
  const summary = summarize(model)
  let obstacle: string | null = null
  try {
    program.stream().close()
  } catch (error) {
    obstacle = (error as Error).message
  }
  return {
    summary,
    cells: model.nodes.filter(isRecurrent).map((node) => describeCell(model, node)),
    edges: edgesOf(model, summary),
    quirks,
    hasReference: model.reference !== null,
    obstacle,
    engine: program.engine,
    states: program.states.map(({ name }) => name),
  }
}

function describeCell(model: Model, node: RecurrentNode): CellInfo {
  const { x } = node.inputs
  const gru = node.kind === 'gru' ? node : null
  const lstm = node.kind === 'lstm' ? node : null
  return {
    name: node.name,
    kind: node.kind,
    units: node.units,
    features: node.features,
    direction: node.direction,
    equations: equations(node),
    activation: showActivation(node.activation),
    recurrentActivation: node.kind === 'rnn' ? '' : showActivation(node.recurrentActivation),
    resetAfter: gru?.resetAfter ?? null,
    update: gru?.update ?? null,
    bias: gru?.bias ?? null,
    outputActivation: lstm === null ? '' : showActivation(lstm.outputActivation),
    coupled: lstm?.coupled ?? false,
    peepholes: lstm !== null && lstm.weights.peephole !== null,
    reads: makerOf(model, x),
    readsInput: model.inputs.some(({ name, axes }) => name === x && axes === undefined),
  }
}

/** The name of the node that makes a value, or of the input that it is. */
function makerOf({ nodes }: Model, value: string): string {
  return nodes.find(({ outputs }) => Object.values(outputs).includes(value))?.name ?? value
}

function edgesOf(model: Model, summary: ModelSummary): readonly Edge[] {
  const shapeOf = new Map(summary.inputs.map(({ name, shape }) => [name, shape]))
  model.nodes.forEach((node: LayerNode, i) => {
    Object.values(node.outputs).forEach((value, k) =>
      shapeOf.set(value, summary.layers[i].outputs[k].shape),
    )
  })
  const edge = (value: string, to: string): Edge => ({
    from: makerOf(model, value),
    to,
    shape: shapeOf.get(value) ?? [],
  })
  return [
    ...model.nodes.flatMap(({ name, inputs }) =>
      Object.values(inputs).map((value) => edge(value, name)),
    ),
    ...model.outputs.map(({ name, value }) => edge(value, `output ${name}`)),
  ]
}

/** The weights of a recurrent layer, gate by gate, as matrices with a column for each unit. */
export function weightArrays(node: RecurrentNode): readonly WeightArray[] {
  const found: Omit<WeightArray, 'reach'>[] = []
  const put = (part: string, gate: string, value: unknown): void => {
    if (!isTensor(value)) return
    const [rows, units] = value.shape.length === 2 ? value.shape : [1, value.shape[0]]
    found.push({ part, gate, shape: [rows, units], data: Float32Array.from(value.data) })
  }
  for (const [part, value] of Object.entries(node.weights)) {
    if (value === null) continue
    if (isTensor(value)) put(part, '', value)
    else for (const [gate, tensor] of Object.entries(value)) put(part, gate, tensor)
  }
  const reaches = new Map<string, number>()
  for (const { part, data } of found)
    reaches.set(part, Math.max(reaches.get(part) ?? 0, largest(data)))
  return found.map((array) => ({ ...array, reach: reaches.get(array.part) ?? 0 }))
}

function largest(data: Float32Array): number {
  let most = 0
  for (const value of data) if (Math.abs(value) > most) most = Math.abs(value)
  return most
}

interface Numbers {
  readonly shape: readonly number[]
  readonly data: ArrayLike<number>
}

function isTensor(value: unknown): value is Numbers {
  return typeof value === 'object' && value !== null && 'shape' in value && 'data' in value
}
