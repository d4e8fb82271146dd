/** Wraps a program so that its runs have quirks: inputs and outputs are rearranged. */

import { GruvError } from '../errors.ts'
import type { AsyncRunOptions, Outputs, Program, RunOptions } from '../runtime/program.ts'
import { type RunInputs, readInputs } from '../runtime/run/inputs.ts'
import type { Named, Tensor, TensorLike } from '../tensor.ts'
import { parseQuirk, type Quirk, runChanges } from './quirks.ts'
import { type Extents, inputsForModel, outputForCaller, type RunChange } from './runs.ts'

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
  const some = { rows: 2, steps: 2 }
  const timeless = outputs.find(({ shape }) => !shape.includes('time'))
  if (timeless === undefined || changes.every((change) => change.applies(some, false))) return
  throw new GruvError('unsupported', 'a quirk of this run needs outputs over time', {
    where: `output ${timeless.name}`,
    got: 'the last step only',
  })
}

function prepare(
  program: Program,
  changes: readonly RunChange[],
  x: TensorLike | Named<TensorLike>,
): PreparedRun {
  const given = readInputs(program.inputs, x)
  refuseWithoutTime(program, changes)
  const steps: { readonly change: RunChange; readonly caller: Extents }[] = []
  let extents: Extents = { rows: given.batch, steps: given.steps }
  let inputs: Named<Tensor> = Object.fromEntries(given.tensors)
  for (const change of changes) {
    steps.push({ change, caller: extents })
    inputs = inputsForModel(change, inputs, extents)
    extents = change.extents(extents)
  }
  return {
    inputs,
    options(options) {
      if (!changes.some(({ initialState }) => initialState === 'dropped')) return options
      const { initialState: _, ...rest } = options
      return rest as typeof options
    },
    finish<Name extends string>(results: Outputs<Name>) {
      const finished: Named<Tensor> = Object.fromEntries(
        Object.entries(results).map(([name, tensor]) => {
          const overTime =
            program.outputs.find((port) => port.name === name)?.shape.includes('time') ?? false
          let output = tensor
          for (const { change, caller } of steps.toReversed())
            output = overTime
              ? outputForCaller(change, output, caller)
              : lastRows(change, output, caller)
          return [name, { ...output, shape: givenAxes(given, output.shape, overTime) }]
        }),
      )
      return finished as Outputs<Name>
    },
  }
}

/** Outputs and states without time: those after the last step of each sequence. */
function lastRows(change: RunChange, { data, shape }: Tensor, caller: Extents): Tensor {
  const width = shape[1]
  const there = change.extents(caller)
  if (there.rows === caller.rows) return { data, shape }
  const rows = Math.min(there.rows, caller.rows)
  const picked = data.slice(0, rows * width)
  for (let row = 0; row < rows; row++) {
    const from = change.output(row, caller.steps - 1, caller)[0]
    picked.set(data.subarray(from * width, (from + 1) * width), row * width)
  }
  return { shape: [rows, width], data: picked }
}

function givenAxes(
  { missing }: RunInputs,
  shape: readonly number[],
  overTime: boolean,
): readonly number[] {
  if (!missing.has('batch')) return shape
  return shape.slice(overTime && missing.has('time') ? 2 : 1)
}
