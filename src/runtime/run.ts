/** One run of a program: stage by stage, tile by tile, chunk by chunk. */

import type { Dim, Model } from '../model/types.ts'
import type { Named, Tensor, TensorLike } from '../tensor.ts'
import type { Engine } from './engine.ts'
import { deliver, notFound, type RunInputs, readStates } from './inputs.ts'
import type { Memory } from './js/ops.ts'
import type { WholeKernel } from './layer.ts'
import { type MaskOptions, type Masks, readMasks } from './masks.ts'
import type { Plan, PlannedState } from './plan.ts'
import type { Stage } from './stages.ts'
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

/** A tile of rows of a stage, over this many steps. */
interface Tile {
  readonly first: number
  readonly rows: number
  readonly allSteps: number
}

export class Run {
  /** Values outside the frame, with all rows and steps, by name. */
  readonly #tensors: Map<string, Tensor>
  /** Final states, by name. */
  readonly #finals = new Map<string, Tensor>()
  readonly #wanted: readonly string[]
  readonly #initial: ReadonlyMap<string, Tensor>
  readonly #masks: Masks | null
  readonly #plan: Plan
  readonly #engine: Engine
  readonly #model: Pick<Model, 'nodes'>
  readonly #tools: Toolkit
  readonly #inputs: RunInputs
  #saved: Float32Array | Float64Array | null = null

  constructor(
    tools: Toolkit,
    plan: Plan,
    engine: Engine,
    model: Pick<Model, 'nodes'>,
    inputs: RunInputs,
    options: RunOptions,
  ) {
    this.#tools = tools
    this.#plan = plan
    this.#engine = engine
    this.#model = model
    this.#inputs = inputs
    this.#tensors = new Map(inputs.tensors)
    this.#masks = readMasks(options, inputs.batch, inputs.steps)
    const known = [...plan.outputs, ...plan.states].map(({ name }) => name)
    this.#wanted = options.outputs ?? plan.outputs.map(({ name }) => name)
    for (const name of this.#wanted)
      if (!known.includes(name)) throw notFound('output', name, known)
    const rowsOf = (name: string): number =>
      inputs.extent(plan.states.find((state) => state.name === name)!.rows)
    this.#initial = readStates(plan.states, options.initialState, rowsOf)
  }

  /** Does the work, and says after each piece how much of it is done. */
  *work(): Generator<number, void> {
    const { block, stages } = this.#plan
    for (let s = 0; s < stages.length; s++) {
      const stage = stages[s]
      if (stage.sweep === 'whole') {
        for (const kernel of stage.kernels) {
          this.#whole(kernel as WholeKernel)
          yield s / stages.length
        }
        continue
      }
      const [allRows, allSteps] = [stage.rows, stage.steps].map(this.#inputs.extent)
      const states = this.#statesOf(stage)
      for (const { name, size } of states) this.#finals.set(name, this.#empty([allRows, size]))
      for (const value of stage.writes) this.#allocate(this.#plan.values[value].name)
      const chunks = Math.ceil(allSteps / block.steps)
      for (let first = 0; first < allRows; first += block.rows) {
        const tile = { first, rows: Math.min(block.rows, allRows - first), allSteps }
        this.#setStates(states, tile)
        for (let i = 0; i < chunks; i++) {
          const from = (stage.sweep === 'backward' ? chunks - 1 - i : i) * block.steps
          this.#chunk(s, tile, from, Math.min(block.steps, allSteps - from), i === 0)
          yield (s + (first + (tile.rows * i) / chunks) / allRows) / stages.length
        }
        this.#collectStates(states, tile)
      }
    }
  }

  /** Somebody else may use the program until `resume`: keeps what this run has in its memory. */
  suspend(): void {
    const { predictState, streams } = this.#plan.memory
    this.#saved = this.#engine.memory.slice(predictState, streams)
  }

  resume(): void {
    if (this.#saved !== null) this.#engine.memory.set(this.#saved, this.#plan.memory.predictState)
    this.#saved = null
  }

  /** The outputs that were asked for, without the axes that the input did not have. */
  results(): Named<Tensor> {
    return Object.fromEntries(
      this.#wanted.map((name) => {
        const output = this.#plan.outputs.find((port) => port.name === name)
        if (output !== undefined)
          return [name, deliver(output, this.#tensors.get(output.value)!, this.#inputs)]
        const state = this.#plan.states.find((each) => each.name === name)!
        const shape = [state.rows, state.size]
        return [name, deliver({ name, shape }, this.#finals.get(name)!, this.#inputs)]
      }),
    )
  }

  #empty(shape: readonly number[]): Tensor {
    const size = shape.reduce((a, b) => a * b, 1)
    return {
      shape,
      data: this.#plan.precision === 'f32' ? new Float32Array(size) : new Float64Array(size),
    }
  }

  #allocate(name: string): void {
    const shape = this.#plan.shapes[name].map(this.#inputs.extent)
    this.#tensors.set(name, this.#empty(shape))
  }

  #whole({ node: name }: WholeKernel): void {
    const node = this.#model.nodes.find((each) => each.name === name)!
    for (const [value, tensor] of this.#tools.whole!.run(
      node,
      this.#tensors,
      this.#inputs.extent,
    )) {
      const data = this.#plan.precision === 'f32' ? Float32Array.from(tensor.data) : tensor.data
      this.#inputs.bind(this.#plan.shapes[value], tensor.shape, name)
      this.#tensors.set(value, { shape: tensor.shape, data })
    }
  }

  #chunk(s: number, tile: Tile, firstStep: number, steps: number, start: boolean): void {
    const stage = this.#plan.stages[s]
    for (const value of stage.reads) this.#copy(value, 'in', tile, firstStep, steps)
    const { first, rows, allSteps } = tile
    this.#engine.block(s, {
      firstRow: first,
      rows,
      firstStep,
      steps,
      allSteps,
      start,
      masks: this.#inClock(stage) ? this.#masks : null,
    })
    for (const value of stage.writes) this.#copy(value, 'out', tile, firstStep, steps)
  }

  /** Whether a stage runs over the rows and steps that the caller's mask speaks of. */
  #inClock({ rows, steps }: Stage): boolean {
    const same = (dim: Dim, extent: number): boolean => this.#inputs.extent(dim) === extent
    return same(rows, this.#inputs.batch) && same(steps, this.#inputs.steps)
  }

  /** Between a whole tensor and the frame, row by row and step by step: the frame's are padded. */
  #copy(value: number, way: 'in' | 'out', tile: Tile, from: number, steps: number): void {
    const { values, block, memory } = this.#plan
    const { name, width, stride, overTime } = values[value]
    const frame = this.#engine.memory
    const { data } = this.#tensors.get(name)!
    const count = overTime ? steps : 1
    const [rowThere, rowHere] = overTime ? [tile.allSteps, block.steps] : [1, 1]
    let there = (tile.first * rowThere + (overTime ? from : 0)) * width
    let here = memory.predictFrame + block.offsets[value]
    for (let row = 0; row < tile.rows; row++) {
      if (way === 'in') copyVectors(frame, here, stride, data, there, width, width, count)
      else copyVectors(data, there, width, frame, here, stride, width, count)
      there += rowThere * width
      here += rowHere * stride
    }
  }

  /** Of the layers that run in a stage. */
  #statesOf({ kernels }: Stage): readonly PlannedState[] {
    const owners = new Set(kernels.map((kernel) => kernel.node))
    return this.#plan.states.filter(({ node }) => owners.has(node))
  }

  #setStates(states: readonly PlannedState[], { first, rows }: Tile): void {
    const { stateStride, memory } = this.#plan
    const start = memory.predictState
    this.#engine.memory.fill(0, start, start + rows * stateStride)
    for (const { name, size, offset } of states) {
      const initial = this.#initial.get(name)
      if (initial === undefined) continue
      for (let row = 0; row < rows; row++) {
        const from = initial.shape.length === 1 ? 0 : (first + row) * size
        this.#engine.memory.set(
          initial.data.subarray(from, from + size),
          start + row * stateStride + offset,
        )
      }
    }
  }

  #collectStates(states: readonly PlannedState[], { first, rows }: Tile): void {
    const { stateStride, memory } = this.#plan
    for (const { name, size, offset } of states) {
      const { data } = this.#finals.get(name)!
      for (let row = 0; row < rows; row++) {
        const from = memory.predictState + row * stateStride + offset
        data.set(this.#engine.memory.subarray(from, from + size), (first + row) * size)
      }
    }
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
