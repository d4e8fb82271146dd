/**
 * Plans a model: where everything lies in memory, and which kernels run when.
 *
 * Memory, from low to high:
 *
 *     weights │ state rows of predict │ frame of predict │ stream 0: state row, frame │ stream 1 …
 *
 * A *state row* holds what one sequence carries from step to step. A *frame* holds vectors of the
 * graph while they are worked on: `block` frames a tile of rows for a chunk of timesteps, `step`
 * frames one row for one step. Memory depends neither on the batch nor on the timesteps.
 */

import { shapesOfValues } from '../../model/assemble.ts'
import type { Signatures } from '../../model/shapes/signatures.ts'
import type { Dim, LayerNode, Model } from '../../model/types.ts'
import type { Named } from '../../tensor.ts'
import { fnv1a64 } from './hash.ts'
import type { TensorKernel } from './kernels.ts'
import { type LayerPlans, planOf } from './layers.ts'
import { planStages } from './stages.ts'
import { initialStates, obstacleOf } from './streamable.ts'
import {
  type FrameLayout,
  type Memory,
  type Placement,
  type Plan,
  type PlanBuilder,
  type PlannedNode,
  type PlannedState,
  type PlannedValue,
  type PlanOptions,
  padded,
  type Role,
  TILE_ROWS,
} from './types.ts'

/** Timesteps a predict works on at a time: enough to amortise copies, small enough for the L1 cache. */
const CHUNK_STEPS = 32

/** Numbers of a block beyond which its chunks become shorter. */
const MOST_IN_BLOCK = 2 ** 23

/**
 * Raise it when earlier artifacts would go wrong: when weights are packed or code is called in another
 * way. `artifact.test.ts` tells when.
 */
const FORMAT = 2

/** What planning knows of the kinds of layers in a model. */
export interface PlanTables {
  readonly signatures: Signatures
  readonly plans: Partial<LayerPlans>
  readonly tensorOps: { readonly plan: (node: LayerNode) => TensorKernel }
}

const WHOLE: Placement = { sweep: 'whole', rows: 1, steps: 1 }

export function plan(
  model: Pick<Model, 'inputs' | 'outputs' | 'nodes'>,
  options: PlanOptions,
  { signatures, plans, tensorOps }: PlanTables,
): Plan {
  const shapes = shapesOfValues(model.inputs, model.nodes, signatures)
  const shapeOf = (value: string): readonly Dim[] => shapes.get(value)!
  const values: PlannedValue[] = []
  const places = new Map<string, number>()
  const addValue = (name: string, width: number, role: Role): number => {
    const key = role + name
    const at = places.get(key) ?? values.length
    if (at === values.length) {
      places.set(key, at)
      values.push({ name, width, stride: padded(width), overTime: role === 'step' })
    }
    return at
  }

  const states: PlannedState[] = []
  let stateStride = 0
  let weightsSize = 0
  const scratch = { step: 0, block: 0 }
  const nodes = model.nodes.map((node): PlannedNode => {
    const layer = planOf(plans, node)
    const placement = layer?.place(node, shapeOf) ?? WHOLE
    const own = states.length
    for (const { name, size } of signatures.statesOf(node)) {
      states.push({ name, node: node.name, size, offset: stateStride, rows: placement.rows })
      stateStride += padded(size)
    }
    /** The value behind a port: its features, or the one number of a step or a row. */
    const valueAt =
      (ports: Named<string>, met: number[]): PlanBuilder['input'] =>
      (port, role) => {
        const name = ports[port]
        if (name === undefined) return -1
        const width = shapeOf(name)[role === 'step' ? 2 : 1] ?? 1
        const value = addValue(name, Number(width), role)
        met.push(value)
        return value
      }
    const reads: number[] = []
    const makes: number[] = []
    const builder: PlanBuilder = {
      precision: options.precision,
      input: valueAt(node.inputs, reads),
      output: valueAt(node.outputs, makes),
      local: (name, width, role) => addValue(`${node.name}: ${name}`, width, role),
      width: (value) => values[value].width,
      state: (slot) =>
        states.slice(own).find(({ name }) => name === `${node.name}.${slot}`)?.offset ?? -1,
      weights(size) {
        const offset = weightsSize
        weightsSize += padded(size)
        return offset
      },
      scratch(size, ofBlock = size) {
        scratch.step = Math.max(scratch.step, padded(size))
        scratch.block = Math.max(scratch.block, padded(ofBlock))
      },
    }
    const kernel =
      placement === WHOLE ? tensorOps.plan(node) : layer!.plan(node, placement, builder)
    return { node, kernel, placement, reads, makes }
  })

  const initial = initialStates(model)
  const obstacle = obstacleOf(model, nodes, values, initial, shapeOf, plans)
  let steps = CHUNK_STEPS
  let block = layOut(values, TILE_ROWS, steps, scratch.block)
  // Thousands of layers: their frames would need GiB where one step at a time needs MiB.
  while (block.size > MOST_IN_BLOCK && steps > 1) {
    steps /= 2
    block = layOut(values, TILE_ROWS, steps, scratch.block)
  }
  const step = layOut(values, 1, 1, scratch.step)
  const predictFrame = weightsSize + TILE_ROWS * stateStride
  const streams = predictFrame + block.size
  const streamStride = stateStride + step.size
  const planned = {
    ...options,
    ...(initial.length > 0 && { initial }),
    inputs: model.inputs,
    outputs: model.outputs,
    shapes: Object.fromEntries(shapes),
    values,
    states,
    stateStride,
    weightsSize,
    stages: planStages(model, nodes, values),
    block,
    step,
    obstacle,
    memory: {
      predictState: weightsSize,
      predictFrame,
      streams,
      streamStride,
      size: streams + options.streams * streamStride,
    },
  }
  return { ...planned, hash: fnv1a64(FORMAT + JSON.stringify(planned)) }
}

function layOut(
  values: readonly PlannedValue[],
  rows: number,
  steps: number,
  scratchSize: number,
): FrameLayout {
  const offsets: number[] = []
  let size = 0
  for (const { stride, overTime } of values) {
    offsets.push(size)
    size += rows * (overTime ? steps : 1) * stride
  }
  return { rows, steps, offsets, scratch: size, size: size + scratchSize }
}

/** Writes all trained numbers where kernels expect them. */
export function packWeights(
  { nodes }: Pick<Model, 'nodes'>,
  { stages }: Plan,
  plans: Partial<LayerPlans>,
  memory: Memory,
): void {
  const byName = new Map(nodes.map((node) => [node.name, node]))
  for (const kernel of stages.flatMap(({ kernels }) => kernels)) {
    if (kernel.kind === 'whole') continue
    const node = byName.get(kernel.node)!
    planOf(plans, node)!.pack?.(node, kernel, memory)
  }
}
