/** Runs a sequence that arrives step by step, and keeps the state it has come to. */

import { GruvError } from '../../errors.ts'
import { type Named, unfit, type WithNames } from '../../tensor.ts'
import type { Engine } from '../engine/engine.ts'
import type { InitialState, Plan } from '../plan/types.ts'
import { named } from './named.ts'

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
  getState<Name extends string = never>(): State<Name>
  /** States that are not named stay as they are. */
  setState(state: Named<ArrayLike<number>>): void
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
  alive: () => void,
  release: () => void,
): Stream<Output, Input> {
  const { step: layout, memory, stateStride, states } = plan
  const state = memory.streams + slot * memory.streamStride
  const frame = state + stateStride
  const view = (value: string): Float32Array | Float64Array => {
    const index = plan.values.findIndex(({ name }) => name === value)
    const from = frame + layout.offsets[index]
    return engine.memory.subarray(from, from + plan.values[index].width)
  }
  const inputs = Object.fromEntries(plan.inputs.map(({ name }) => [name, view(name)]))
  const outputs = Object.fromEntries(plan.outputs.map(({ name, value }) => [name, view(value)]))
  let open = true
  const usable = (): void => {
    if (!open) throw new GruvError('closed', 'this stream was closed')
    alive()
  }

  const stream: Stream<Output, Input> = {
    input: inputs[plan.inputs[0].name],
    output: outputs[plan.outputs[0].name],
    inputs: inputs as Stream<Output, Input>['inputs'],
    outputs: outputs as Stream<Output, Input>['outputs'],
    step() {
      usable()
      for (let i = 0; i < plan.stages.length; i++) engine.step(i, frame, state)
    },
    getState<Name extends string>() {
      usable()
      const copies: State = Object.fromEntries(
        states.map(({ name, size, offset }) => [
          name,
          engine.memory.slice(state + offset, state + offset + size),
        ]),
      )
      return copies as State<Name>
    },
    setState(next) {
      usable()
      const entries = Object.entries(next).map(([name, values]) => {
        const { size, offset } = named('state', name, states)
        if (values.length !== size)
          throw unfit('the state does not fit', `state ${name}`, [[size]], [values.length])
        return [values, state + offset] as const
      })
      // Only once all of them fit: a state is set whole or not at all.
      for (const [values, offset] of entries) engine.memory.set(values, offset)
    },
    reset() {
      usable()
      engine.memory.fill(0, state, state + stateStride)
    },
    close() {
      if (!open) return
      open = false
      release()
    },
  }
  engine.memory.fill(0, state, state + memory.streamStride)
  return plan.initial === undefined ? stream : startingFrom(stream, plan.initial)
}

/** The same stream, with states that begin as inputs say: at its first step, and the first after a reset. */
function startingFrom<Output extends string, Input extends string>(
  stream: Stream<Output, Input>,
  initial: readonly InitialState[],
): Stream<Output, Input> {
  const begun = Object.fromEntries(
    initial.map(({ input, state }) => [state, stream.inputs[input]] as const),
  )
  let fresh = true
  return {
    ...stream,
    step() {
      if (fresh) stream.setState(begun)
      fresh = false
      stream.step()
    },
    setState(next) {
      // Refused whole: then nothing has begun.
      stream.setState(next)
      // What is not named begins as the inputs say.
      if (fresh) stream.setState({ ...begun, ...next })
      fresh = false
    },
    reset() {
      stream.reset()
      fresh = true
    },
  }
}
