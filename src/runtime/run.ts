/** One run of a program: stage by stage, tile by tile, chunk by chunk. */

import type { Dim, Model } from '../model/types.ts'
import { type Named, sizeOf, type Tensor, type TensorLike } from '../tensor.ts'
import type { Engine, Piece } from './engine.ts'
import { named, type RunInputs, readStates } from './inputs.ts'
import type { Memory } from './js/ops.ts'
import { type MaskOptions, readMasks } from './masks.ts'
import type { Plan, PlannedState } from './plan.ts'
import type { Toolkit } from './toolkit.ts'

export interface RunOptions extends MaskOptions {
  /**
   * The state a sequence starts from, by the names in `Program.states`; a model with one state
   * needs no name. [units] for every row, or [batch, units]. Zeros when left out.
   */
  readonly initialState?: TensorLike | Named<TensorLike>
  /** Which outputs to deliver, states (the final ones) included; default: all of the model's outputs. */
  readonly outputs?: readonly string[]
}

export interface Run {
  /** Does the work, and says after each piece how much of it is done. */
  readonly work: () => Iterable<number>
  /** The outputs that were asked for, without the axes that the input did not have. */
  readonly results: () => Named<Tensor>
  /** Keeps what this run has in the program's memory; somebody else may use it until that is called. */
  readonly suspend: () => () => void
}

/** @throws GruvError for options that do not fit, before anything runs. */
export function createRun(
  tools: Toolkit,
  plan: Plan,
  engine: Engine,
  model: Pick<Model, 'nodes'>,
  inputs: RunInputs,
  options: RunOptions,
): Run {
  const { block, outputs, stages, states, stateStride, values } = plan
  const { predictState, predictFrame, streams } = plan.memory
  const { memory } = engine
  const masks = readMasks(options, inputs.batch, inputs.steps)
  const ports = [
    ...outputs,
    ...states.map(({ name, rows, size }) => ({ name, shape: [rows, size] })),
  ]
  const wanted = (options.outputs ?? outputs.map(({ name }) => name)).map((name) =>
    named('output', name, ports),
  )
  const initial = readStates(states, options.initialState, ({ rows }) => inputs.extent(rows))
  /** Values outside the frame, with all rows and steps, by name. */
  const tensors = new Map(inputs.tensors)
  /** Final states, by name. */
  const finals = new Map<string, Tensor>()

  const empty = (dims: readonly Dim[]): Tensor => {
    const shape = dims.map(inputs.extent)
    const Numbers = plan.precision === 'f32' ? Float32Array : Float64Array
    return { shape, data: new Numbers(sizeOf(shape)) }
  }

  /** `count` vectors, between the program's memory and data of a tensor. */
  const move = (
    way: 'in' | 'out',
    here: number,
    stride: number,
    data: Memory,
    there: number,
    thereStride: number,
    width: number,
    count: number,
  ): void => {
    if (way === 'in') copyVectors(memory, here, stride, data, there, thereStride, width, count)
    else copyVectors(data, there, thereStride, memory, here, stride, width, count)
  }

  /** Values, row by row and step by step: the frame's are padded. */
  const moveValues = (way: 'in' | 'out', which: readonly number[], piece: Piece): void => {
    for (const value of which) {
      const { name, width, stride, overTime } = values[value]
      const { data } = tensors.get(name)!
      const [allSteps, from, count, room] = overTime
        ? [piece.allSteps, piece.firstStep, piece.steps, block.steps]
        : [1, 0, 1, 1]
      for (let row = 0; row < piece.rows; row++) {
        const here = predictFrame + block.offsets[value] + row * room * stride
        const there = ((piece.firstRow + row) * allSteps + from) * width
        move(way, here, stride, data, there, width, width, count)
      }
    }
  }

  /** States of the rows of a tile: one for all of them, or one for each. */
  const moveStates = (
    way: 'in' | 'out',
    which: readonly PlannedState[],
    those: ReadonlyMap<string, Tensor>,
    firstRow: number,
    rows: number,
  ): void => {
    for (const { name, size, offset } of which) {
      const tensor = those.get(name)
      if (tensor === undefined) continue
      const stride = tensor.shape.length === 1 ? 0 : size
      const here = predictState + offset
      move(way, here, stateStride, tensor.data, firstRow * stride, stride, size, rows)
    }
  }

  function* work(): Generator<number, void> {
    for (let s = 0; s < stages.length; s++) {
      const stage = stages[s]
      if (stage.sweep === 'whole') {
        for (const _ of tools.runWhole!(stage, plan, model, inputs, tensors))
          yield s / stages.length
        continue
      }
      const allRows = inputs.extent(stage.rows)
      const allSteps = inputs.extent(stage.steps)
      const owners = stage.kernels.map(({ node }) => node)
      const those = states.filter(({ node }) => owners.includes(node))
      for (const { name, size } of those) finals.set(name, empty([allRows, size]))
      for (const value of stage.writes) {
        const { name } = values[value]
        tensors.set(name, empty(plan.shapes[name]))
      }
      // The caller's masks speak of the input's rows and steps, and of no others.
      const inClock = allRows === inputs.batch && allSteps === inputs.steps
      const chunks = Math.ceil(allSteps / block.steps)
      for (let firstRow = 0; firstRow < allRows; firstRow += block.rows) {
        const rows = Math.min(block.rows, allRows - firstRow)
        memory.fill(0, predictState, predictState + rows * stateStride)
        moveStates('in', those, initial, firstRow, rows)
        for (let i = 0; i < chunks; i++) {
          const firstStep = (stage.sweep === 'backward' ? chunks - 1 - i : i) * block.steps
          const piece: Piece = {
            firstRow,
            rows,
            firstStep,
            steps: Math.min(block.steps, allSteps - firstStep),
            allSteps,
            start: i === 0,
            masks: inClock ? masks : null,
          }
          moveValues('in', stage.reads, piece)
          engine.block(s, piece)
          moveValues('out', stage.writes, piece)
          yield (s + (firstRow + (rows * i) / chunks) / allRows) / stages.length
        }
        moveStates('out', those, finals, firstRow, rows)
      }
    }
  }

  return {
    work,
    suspend() {
      const saved = memory.slice(predictState, streams)
      return () => memory.set(saved, predictState)
    },
    results: () =>
      Object.fromEntries(
        wanted.map((port) => {
          const tensor = 'value' in port ? tensors.get(port.value) : finals.get(port.name)
          return [port.name, inputs.deliver(port, tensor!)]
        }),
      ),
  }
}

/** `count` vectors of `width` numbers, from one array to another that spaces them differently. */
function copyVectors(
  to: Memory,
  toStart: number,
  toStride: number,
  from: Memory,
  fromStart: number,
  fromStride: number,
  width: number,
  count: number,
): void {
  // Where both are spaced alike there is nothing between the vectors.
  if (toStride === fromStride && to.BYTES_PER_ELEMENT === from.BYTES_PER_ELEMENT) {
    to.set(from.subarray(fromStart, fromStart + count * width), toStart)
    return
  }
  for (let t = 0; t < count; t++) {
    for (let i = 0; i < width; i++) to[toStart + i] = from[fromStart + i]
    toStart += toStride
    fromStart += fromStride
  }
}
