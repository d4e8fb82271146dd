/** Runs whole sequences: stage by stage, tile by tile, chunk by chunk. */

import type { LimitOptions } from '../../limits.ts'
import type { Dim, LayerNode, Model, Port } from '../../model/types.ts'
import { type Named, sizeOf, type Tensor, type TensorLike, type WithNames } from '../../tensor.ts'
import type { Engine, Tile } from '../engine/engine.ts'
import type { TensorKernel } from '../plan/kernels.ts'
import type { Memory, Plan, PlannedState } from '../plan/types.ts'
import type { RunInputs } from './inputs.ts'
import { codesOf, type MaskOptions, type Masks, readMasks, STEP } from './masks.ts'
import { named } from './named.ts'
import { readStates } from './states.ts'

export interface RunOptions<Name extends string = string> extends MaskOptions {
  /**
   * The state a sequence starts from, by the names in `Program.states`; a model with one state
   * needs no name. [units] for every row, or [batch, units]. Zeros when left out.
   */
  readonly initialState?: TensorLike | Named<TensorLike>
  /** Which outputs to deliver, states (the final ones) included; default: all of the model's outputs. */
  readonly outputs?: readonly Name[]
}

/**
 * Results by name. Those that `outputs` asks for are there, else `y`, as a model with one output
 * calls it; of a model with other names say which: `predict<'left' | 'right'>(x)`.
 */
export type Outputs<Name extends string = 'y'> = WithNames<Name, Tensor>

/** How nodes are planned and run on whole tensors, and what such runs may cost. */
export interface TensorOps {
  readonly plan: (node: LayerNode) => TensorKernel
  /**
   * Before anything is allocated. Absent where all values lie in frames: outputs are then as large
   * as inputs and weights make them.
   * @throws GruvError `too-large`
   */
  readonly check?: (
    plan: Plan,
    model: Pick<Model, 'nodes'>,
    request: RunRequest,
    limits: LimitOptions | undefined,
  ) => void
  /** Runs the nodes of a stage, with a pause after each. */
  readonly run: (run: Run, stage: number) => Generator<void>
  /** Drops what is not read after a stage of frames. */
  readonly drop?: (run: Run, stage: number) => void
}

/** What runs are made on: the parts of a program. */
export interface Machine {
  readonly plan: Plan
  readonly engine: Engine
  readonly tensorOps: TensorOps
  readonly limits?: LimitOptions | undefined
}

/** What a caller asks of a run, read and checked. */
export interface RunRequest {
  readonly inputs: RunInputs
  readonly masks: Masks | null
  /** What is to be delivered: outputs, which have a value, and final states. */
  readonly wanted: readonly (Port & { readonly value?: string })[]
  /** Given states, by name. */
  readonly initial: ReadonlyMap<string, Tensor>
}

/** A run that has begun, which `workOn` goes through tile by tile. */
export interface Run extends Machine, RunRequest {
  readonly model: Pick<Model, 'nodes'>
  /** Final states, by name. */
  readonly finals: Map<string, Tensor>
  /** Values outside the frame, with all rows and steps, by name. */
  readonly tensors: Map<string, Tensor>
}

/** @throws GruvError for options that do not fit. */
export function readRun(
  { outputs, states }: Plan,
  inputs: RunInputs,
  options: RunOptions,
): RunRequest {
  const masks = readMasks(options, inputs.batch, inputs.steps)
  const ports = [
    ...outputs,
    ...states.map(({ name, rows, size }) => ({ name, shape: [rows, size] })),
  ]
  const names = options.outputs ?? outputs.map(({ name }) => name)
  return {
    inputs,
    masks,
    wanted: names.map((name) => named('output', name, ports)),
    initial: readStates(states, options.initialState, ({ rows }) => inputs.extent(rows)),
  }
}

export function beginRun(
  { plan, engine, tensorOps, limits }: Machine,
  model: Pick<Model, 'nodes'>,
  request: RunRequest,
): Run {
  const { inputs, masks, wanted, initial } = request
  tensorOps.check?.(plan, model, request, limits)
  // Named one by one: to spread objects of this size takes V8 nine microseconds a run.
  return {
    plan,
    engine,
    tensorOps,
    model,
    inputs,
    masks,
    wanted,
    initial,
    finals: new Map(),
    tensors: new Map(inputs.tensors),
  }
}

/** Does the work, and says after each tile which share of it is done. */
export function* workOn(run: Run): Generator<number, void> {
  const { plan, engine, inputs, masks, finals, tensors, tensorOps } = run
  const { block, stages, values } = plan
  const { predictState } = plan.memory
  const statesIn = new Map<string, PlannedState[]>()
  for (const state of plan.states) {
    const owned = statesIn.get(state.node)
    if (owned) owned.push(state)
    else statesIn.set(state.node, [state])
  }
  for (let s = 0; s < stages.length; s++) {
    const stage = stages[s]
    if (stage.sweep === 'whole') {
      for (const _ of tensorOps.run(run, s)) yield s / stages.length
      continue
    }
    const allRows = inputs.extent(stage.rows)
    const allSteps = inputs.extent(stage.steps)
    const states = stage.kernels.flatMap(({ node }) => statesIn.get(node) ?? [])
    for (const { name, size } of states) finals.set(name, empty(run, [allRows, size]))
    for (const value of stage.writes) {
      const { name } = values[value]
      tensors.set(name, empty(run, plan.shapes[name]))
    }
    // The caller's masks speak of the input's rows and steps, and of no others.
    const inClock = allRows === inputs.batch && allSteps === inputs.steps
    const backward = stage.sweep === 'backward'
    const way = backward ? -1 : 1
    const codes = inClock && masks ? codesOf(masks, allSteps, backward) : undefined
    const most = codes === undefined ? block.rows : 1
    for (let firstRow = 0; firstRow < allRows; firstRow += most) {
      const rows = Math.min(most, allRows - firstRow)
      // A single row has the tile's room to itself, and takes what the first cache has room for.
      const more = rows > 1 ? 0 : Math.floor(MORE_STATES / plan.stateStride)
      const chunk = Math.min(block.steps + more, block.rows * block.steps)
      engine.memory.fill(0, predictState, predictState + rows * plan.stateStride)
      moveStates('in', run, states, run.initial, firstRow, rows)
      for (let done = 0; done < allSteps; ) {
        const limit = Math.min(done + chunk, allSteps)
        const first = firstRow * allSteps + (backward ? allSteps - 1 - done : done)
        const code = codes?.[first] ?? STEP.valid
        // Steps with the code of the first of them; without a mask, as many as a chunk has.
        let end = codes === undefined ? limit : done + 1
        while (end < limit && codes?.[first + (end - done) * way] === code) end++
        const tile: Tile = {
          rows,
          firstStep: backward ? allSteps - end : done,
          steps: end - done,
          start: done === 0,
          code,
          missing: masks?.missing ?? false,
        }
        moveValues('in', run, stage.reads, tile, firstRow, allSteps)
        engine.block(s, tile)
        moveValues('out', run, stage.writes, tile, firstRow, allSteps)
        done = end
        yield (s + (firstRow + (rows * done) / allSteps) / allRows) / stages.length
      }
      moveStates('out', run, states, finals, firstRow, rows)
    }
    tensorOps.drop?.(run, s)
  }
}

/** Numbers of as many states as there may be steps more in a tile of a single row. */
const MORE_STATES = 4096

/** The outputs that were asked for, without the axes that the input did not have. */
export function resultsOf<Name extends string>(run: Run): Outputs<Name> {
  const { inputs, wanted, tensors, finals } = run
  const results: Named<Tensor> = Object.fromEntries(
    wanted.map((port) => {
      const tensor = port.value === undefined ? finals.get(port.name) : tensors.get(port.value)
      return [port.name, inputs.deliver(port, tensor!)]
    }),
  )
  return results as Outputs<Name>
}

function empty({ plan, inputs }: Run, dims: readonly Dim[]): Tensor {
  const shape = dims.map(inputs.extent)
  const Numbers = plan.precision === 'f32' ? Float32Array : Float64Array
  return { shape, data: new Numbers(sizeOf(shape)) }
}

/** Into the program's memory, or out of it. */
type Way = 'in' | 'out'

/**
 * Values, row by row. In the frame a step's vector is padded, in a tensor the next one follows at once:
 * they enter as they are, behind each other up to where the last of them will lie, and are repacked
 * there; they leave likewise.
 */
function moveValues(
  way: Way,
  { plan, engine, tensors }: Run,
  which: readonly number[],
  { rows, firstStep, steps }: Tile,
  firstRow: number,
  allSteps: number,
): void {
  const { block, memory, values } = plan
  for (const value of which) {
    const { name, width, stride, overTime } = values[value]
    const { data } = tensors.get(name)!
    const [all, from, count] = overTime ? [allSteps, firstStep, steps] : [1, 0, 1]
    const room = (count - 1) * (stride - width)
    for (let row = 0; row < rows; row++) {
      const here =
        memory.predictFrame + block.offsets[value] + row * (overTime ? block.steps : 1) * stride
      const there = ((firstRow + row) * all + from) * width
      if (way === 'in') {
        move(way, engine.memory, here + room, data, there, count * width)
        if (room > 0) engine.repack(here, stride, here + room, width, count)
      } else {
        if (room > 0) engine.repack(here, width, here, stride, count)
        move(way, engine.memory, here, data, there, count * width)
      }
    }
  }
}

/** States of the rows of a tile: one for all of them, or one for each. */
function moveStates(
  way: Way,
  { plan, engine }: Run,
  which: readonly PlannedState[],
  those: ReadonlyMap<string, Tensor>,
  firstRow: number,
  rows: number,
): void {
  for (const { name, size, offset } of which) {
    const tensor = those.get(name)
    if (tensor === undefined) continue
    const stride = tensor.shape.length === 1 ? 0 : size
    for (let row = 0; row < rows; row++) {
      const here = plan.memory.predictState + offset + row * plan.stateStride
      move(way, engine.memory, here, tensor.data, (firstRow + row) * stride, size)
    }
  }
}

/** Numbers between the program's memory and a tensor's data. */
function move(
  way: Way,
  memory: Memory,
  here: number,
  data: Memory,
  there: number,
  count: number,
): void {
  if (way === 'in') memory.set(data.subarray(there, there + count), here)
  else data.set(memory.subarray(here, here + count), there)
}
