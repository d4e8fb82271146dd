/** Runs a sequence that arrives step by step, and keeps the state it has come to. */

import { GruvError } from '../../errors.ts'
import { type Named, unfit, type WithNames } from '../../tensor.ts'
import type { Engine } from '../engine/engine.ts'
import type { Plan } from '../plan/types.ts'
import { named } from './named.ts'
import type { StateRecords } from './record.ts'

/** What a stream carries, by state name (`gru.h`): copies, safe to keep. */
export type State<Name extends string = never> = WithNames<Name, Float32Array | Float64Array>

export interface Stream<Output extends string = 'y', Input extends string = 'x'> {
  /** Live view of the model's first input: write here. */
  readonly input: Float32Array | Float64Array
  /** Live view of the model's first output: read here. A new step overwrites it. */
  readonly output: Float32Array | Float64Array
  /**
   * Live views of all inputs and outputs by name. An input that is the state a layer starts from is
   * read at the first step, and at the first after a reset.
   */
  readonly inputs: WithNames<Input, Float32Array | Float64Array>
  readonly outputs: WithNames<Output, Float32Array | Float64Array>
  /** One timestep: synchronous, without a copy, without an allocation. */
  step(): void
  /**
   * Live views of what the stream carries, by the names of `getState()`: no copies, so a step changes
   * them. What is written here before a first step that starts from inputs is lost.
   */
  readonly state: Named<Float32Array | Float64Array>
  getState<Name extends string = never>(): State<Name>
  /** States that are not named stay as they are. */
  setState(state: Named<ArrayLike<number>>): void
  /**
   * Writes the state as a record of `program.stateBytes` bytes (docs/state.md): whole, with the count
   * of steps, and readable under the same model alone. Allocates nothing.
   * @param at where the record begins; a multiple of 8, default 0.
   * @throws GruvError `bad-argument` where there is no room.
   */
  saveTo(bytes: Uint8Array, at?: number): void
  /**
   * Goes on from a record. Allocates nothing.
   * @throws GruvError `bad-argument` for bytes that are no state of this model in this precision.
   */
  loadFrom(bytes: Uint8Array, at?: number): void
  /** Back to where every sequence starts: zeros, or the states that inputs say. */
  reset(): void
  close(): void
}

/** @throws GruvError `not-causal` where the plan has an obstacle. */
export function checkStreamable({ obstacle }: Plan): void {
  if (obstacle === null) return
  throw new GruvError('not-causal', `this model cannot run step by step: ${obstacle.why}`, {
    where: obstacle.node,
    fix: 'Run whole sequences with predict.',
  })
}

export function createStream<Output extends string, Input extends string>(
  plan: Plan,
  engine: Engine,
  slot: number,
  records: StateRecords,
  alive: () => void,
  release: () => void,
): Stream<Output, Input> {
  const { step: layout, memory, stateStride, states, initial = [] } = plan
  const row = memory.streams + slot * memory.streamStride
  const frame = row + stateStride
  const view = (value: string): Float32Array | Float64Array => {
    const index = plan.values.findIndex(({ name }) => name === value)
    const from = frame + layout.offsets[index]
    return engine.memory.subarray(from, from + plan.values[index].width)
  }
  const inputs = Object.fromEntries(plan.inputs.map(({ name }) => [name, view(name)]))
  const outputs = Object.fromEntries(plan.outputs.map(({ name, value }) => [name, view(value)]))
  const state = Object.fromEntries(
    states.map(({ name, size, offset }) => {
      const from = row + offset
      return [name, engine.memory.subarray(from, from + size)]
    }),
  )
  const starts = initial.map(({ input, state: name }) => [state[name], inputs[input]] as const)
  /** Steps since the sequence began; whether its states are those that inputs say, or were set. */
  let [steps, begun] = [0, false]
  let open = true
  const usable = (): void => {
    if (!open) throw new GruvError('closed', 'this stream was closed')
    alive()
  }
  const begin = (): void => {
    if (!begun) for (const [to, from] of starts) to.set(from)
    begun = true
  }

  engine.memory.fill(0, row, row + memory.streamStride)
  return {
    input: inputs[plan.inputs[0].name],
    output: outputs[plan.outputs[0].name],
    inputs: inputs as Stream<Output, Input>['inputs'],
    outputs: outputs as Stream<Output, Input>['outputs'],
    state,
    step() {
      usable()
      if (!begun) begin()
      for (let i = 0; i < plan.stages.length; i++) engine.step(i, frame, row)
      steps++
    },
    getState<Name extends string>() {
      usable()
      const copies = Object.entries(state).map(([name, view]) => [name, view.slice()])
      return Object.fromEntries(copies) as State<Name>
    },
    setState(next) {
      usable()
      const entries = Object.entries(next).map(([name, values]) => {
        const { size } = named('state', name, states)
        if (values.length !== size)
          throw unfit('the state does not fit', `state ${name}`, [[size]], [values.length])
        return [state[name], values] as const
      })
      // Only once all of them fit: a state is set whole or not at all. What is not named begins as
      // the inputs say.
      begin()
      for (const [to, values] of entries) to.set(values)
    },
    saveTo(bytes, at = 0) {
      usable()
      records.save(row, steps, begun, bytes, at)
    },
    loadFrom(bytes, at = 0) {
      usable()
      records.load(row, bytes, at)
      steps = records.steps
      begun = records.begun
    },
    reset() {
      usable()
      engine.memory.fill(0, row, row + stateStride)
      steps = 0
      begun = false
    },
    close() {
      if (!open) return
      open = false
      release()
    },
  }
}
