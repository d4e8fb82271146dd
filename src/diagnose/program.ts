/** Wraps a program so that its runs have quirks: inputs and outputs are rearranged. */

import { GruvError } from '../errors.ts'
import type { AsyncRunOptions, Outputs, Program, RunOptions } from '../runtime/program.ts'
import { inOrderOf, readInputs } from '../runtime/run/inputs.ts'
import { readMasks } from '../runtime/run/masks.ts'
import { readStates } from '../runtime/run/states.ts'
import type { Named, Tensor, TensorLike } from '../tensor.ts'
import { type Axes, asSequences, axesOf, fromSequences } from '../verify/layout.ts'
import { timedPorts } from './data.ts'
import { parseQuirk, type Quirk, runChanges } from './quirks.ts'
import {
  type Extents,
  inputsForModel,
  masksAsOptions,
  masksForModel,
  outputForCaller,
  type RunChange,
  statesForModel,
} from './runs.ts'

/**
 * The program as it runs under these quirks; those that change a model are ignored.
 * @throws GruvError `unsupported` from `stream()`, since quirks of a run need whole sequences.
 */
export function withRunQuirks(program: Program, quirks: readonly (Quirk | string)[]): Program {
  const parsed = quirks.map((each) => (typeof each === 'string' ? parseQuirk(each) : each))
  const changes = runChanges(parsed)
  if (changes.length === 0) return program
  return {
    ...program,
    predict(x, options = {}) {
      const run = prepare(program, changes, x)
      return run.finish(program.predict(run.inputs, run.options(options)))
    },
    async predictAsync(x, options = {}) {
      const run = prepare(program, changes, x)
      return run.finish(await program.predictAsync(run.inputs, run.options(options)))
    },
    stream() {
      throw new GruvError('unsupported', 'a run with these quirks cannot go step by step', {
        fix: 'Run whole sequences with predict.',
      })
    },
  }
}

interface PreparedRun {
  readonly inputs: Named<Tensor>
  readonly options: <O extends RunOptions | AsyncRunOptions>(options: O) => O
  readonly finish: <Name extends string>(results: Outputs<Name>) => Outputs<Name>
}

/** An output without time has no steps that could be moved to other rows. */
function refuseWithoutTime({ outputs }: Program, changes: readonly RunChange[]): void {
  const some = { rows: 2, steps: Number.MAX_SAFE_INTEGER }
  const timeless = outputs.find(({ shape }) => !shape.includes('time'))
  if (timeless === undefined || changes.every((change) => change.applies(some, false))) return
  throw new GruvError('unsupported', 'a quirk of this run needs outputs over time', {
    where: `output ${timeless.name}`,
    got: 'the last step only',
  })
}

function prepare(
  program: Program,
  given: readonly RunChange[],
  x: TensorLike | Named<TensorLike>,
): PreparedRun {
  const read = readInputs(program.inputs, x)
  refuseWithoutTime(program, given)
  const overTime = program.outputs.some(({ shape }) => shape.includes('time'))
  const changes = given.map((change) => (overTime ? change : (change.timeless ?? change)))
  const timed = timedPorts(program.inputs)
  const steps: Step[] = []
  let extents: Extents = { rows: read.batch, steps: read.steps }
  let inputs: Named<Tensor> = Object.fromEntries(read.tensors)
  for (const change of changes) {
    const backward = program.plan.stages.some(({ sweep }) => sweep === 'backward')
    if (backward && change.fillsUp?.(extents) === true) {
      throw new GruvError('unsupported', 'a layer that runs backward needs whole pieces', {
        where: `${extents.steps} timesteps`,
        expected: 'a count that divides them',
      })
    }
    steps.push({ change, caller: extents })
    inputs = inputsForModel(change, inputs, extents, timed)
    extents = change.extents(extents)
  }
  return {
    inputs: Object.fromEntries(
      program.inputs.map((port) => [port.name, inOrderOf(port, inputs[port.name])]),
    ),
    options: (options) => optionsUnder(program, steps, options),
    finish<Name extends string>(results: Outputs<Name>) {
      const finished: Named<Tensor> = Object.fromEntries(
        Object.entries(results).map(([name, tensor]) => {
          const port = program.outputs.find((each) => each.name === name)
          const shape = port?.shape ?? ['batch', tensor.shape[1]]
          const { missing } = read
          const kept = (_: number, axis: number): boolean =>
            !missing.has(shape[axis] as 'batch' | 'time')
          const output = forCaller(tensor, axesOf({ shape }, tensor), steps)
          return [name, { ...output, shape: output.shape.filter(kept) }]
        }),
      )
      return finished as Outputs<Name>
    },
  }
}

/** A change of a run, and the rows and steps that it begins with. */
interface Step {
  readonly change: RunChange
  readonly caller: Extents
}

/** The options of a run as the model has them: states and masks move with the rows and steps. */
function optionsUnder<O extends RunOptions>(
  program: Program,
  steps: readonly Step[],
  options: O,
): O {
  const { initialState, mask, lengths } = options
  const [{ caller }] = steps
  let states: ReadonlyMap<string, Tensor> | null = readStates(
    program.states,
    steps.some(({ change }) => change.initialState === 'dropped') ? undefined : initialState,
    () => caller.rows,
  )
  let masks = readMasks(
    { ...(mask !== undefined && { mask }), ...(lengths !== undefined && { lengths }) },
    caller.rows,
    caller.steps,
  )
  for (const each of steps) {
    states = states && statesForModel(each.change, states, each.caller)
    const moved = masks && masksForModel(each.change, masks, each.caller)
    if (states === null || (masks !== null && moved === null)) {
      throw new GruvError('unsupported', 'a quirk of this run cannot move a state or lengths', {
        fix: 'Leave out the initial state, or give a mask instead of lengths.',
      })
    }
    masks = moved
  }
  const { change, caller: last } = steps[steps.length - 1]
  const { initialState: _, ...kept } = options
  return {
    ...(kept as O),
    ...(states.size > 0 && { initialState: Object.fromEntries(states) }),
    ...(masks && masksAsOptions(masks, change.extents(last))),
  }
}

/** An output of the model, in a port's order, as the caller sees it. */
function forCaller(tensor: Tensor, axes: Axes, steps: readonly Step[]): Tensor {
  let output = asSequences(tensor, axes)
  for (const { change, caller } of steps.toReversed())
    output = outputForCaller(change, output, caller, axes.time >= 0)
  const [rows, count] = output.shape
  const shape = tensor.shape.map((extent, axis) =>
    axis === axes.row ? rows : axis === axes.time ? count : extent,
  )
  return fromSequences(output, shape, axes)
}
