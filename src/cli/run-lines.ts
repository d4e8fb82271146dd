/** `gruv run --input -`: each line of standard input is a timestep and is answered at once. */

import { createInterface } from 'node:readline'
import { MissingValues, RowReader, showNumber } from '../data/index.ts'
import {
  GruvError,
  isGruvError,
  type Model,
  type Named,
  type Program,
  type Stream,
  type Tensor,
} from '../index.ts'
import { statesOf } from '../model/index.ts'
import { arraysAsJson, readNamed, tellLeftOut, writeFiles } from './files.ts'
import { Skipped, type TableFlags, tellGap } from './inputs.ts'
import type { MaskFlags } from './masks.ts'
import { complain, print } from './render.ts'

interface LineFlags extends TableFlags, MaskFlags {
  readonly input: readonly string[]
  readonly output?: readonly string[]
  readonly initialState?: readonly string[]
  readonly finalState?: string
  readonly json?: boolean
}

const SOURCE = 'standard input'

/** @param compile called once the flags are known to fit. */
export async function runLines(
  model: Model,
  flags: LineFlags,
  compile: () => Promise<Program>,
): Promise<void> {
  refuseFlags(model, flags)
  const states = model.nodes.flatMap(statesOf).map(({ name }) => name)
  const program = await compile()
  const stream = program.stream()
  const initialState =
    flags.initialState === undefined
      ? undefined
      : await readNamed(flags.initialState, states, '--initial-state')
  if (initialState) setState(stream, initialState)

  const reader = new RowReader(stream.input.length)
  const values = new MissingValues(flags.missing)
  const skipped = new Skipped(SOURCE, flags.onError)
  const show = (outputs: Named<Tensor>): Promise<string> | string =>
    flags.json ? arraysAsJson(outputs) : plainLine(Object.values(outputs)[0])
  // A masked step repeats the output before it.
  let answer: string | null = null
  let rows = 0
  let line = 0
  try {
    for await (const text of createInterface({
      input: process.stdin,
      crlfDelay: Number.POSITIVE_INFINITY,
    })) {
      line++
      const where = `${SOURCE}, line ${line}`
      try {
        const row = reader.next(text, where)
        if (row === null) continue
        if (rows++ === 0) tellLeftOut(SOURCE, reader.leftOut)
        const gap = values.fill(row, where, reader.names)
        if (gap !== null) tellGap(gap)
        if (gap?.fate === 'drop') continue
        if (gap?.fate !== 'mask') {
          stream.input.set(row)
          stream.step()
          answer = await show(outputsOf(stream, model))
        }
        answer ??= await show(beforeAnyStep(program, model, stream.input.length, initialState))
        print(answer)
      } catch (error) {
        if (skipped.take === undefined || !isGruvError(error)) throw error
        skipped.take(error)
      }
    }
  } finally {
    // An open pipe would keep the process alive after an error.
    process.stdin.destroy()
  }
  endOf(reader, skipped)
  skipped.tell('lines')
  if (rows === 0) complain(`${SOURCE}: there were no rows of numbers`)
  if (flags.finalState !== undefined)
    await writeFiles(new Map([[flags.finalState, stateOf(stream)]]))
}

function refuseFlags(model: Model, flags: LineFlags): void {
  if (flags.input.length > 1 || model.inputs.length !== 1) {
    throw new GruvError('bad-argument', 'standard input can only feed a model with one input', {
      where: '--input -',
    })
  }
  if (flags.output !== undefined) {
    throw new GruvError(
      'bad-argument',
      'lines from standard input are answered on standard output',
      {
        where: '--output',
        fix: 'Redirect it: gruv run MODEL --input - > FILE.',
      },
    )
  }
  for (const flag of ['mask', 'lengths'] as const) {
    if (flags[flag] === undefined) continue
    throw new GruvError('bad-argument', 'lines from standard input have no end that is known', {
      where: `--${flag}`,
      fix: 'Leave it out; --missing mask passes over lines that lack a value.',
    })
  }
}

/** A header to which no row came may be wrong. */
function endOf(reader: RowReader, skipped: Skipped): void {
  try {
    reader.end()
  } catch (error) {
    if (skipped.take === undefined || !isGruvError(error)) throw error
    skipped.take(error)
  }
}

function outputsOf(stream: Stream, { outputs }: Model): Named<Tensor> {
  return Object.fromEntries(
    outputs.map(({ name }) => {
      const data = stream.outputs[name]
      return [name, { shape: [data.length], data }]
    }),
  )
}

/** The outputs at a masked step with nothing before it. */
function beforeAnyStep(
  program: Program,
  { inputs: [port], outputs }: Model,
  width: number,
  initialState: Named<Tensor> | undefined,
): Named<Tensor> {
  const step = { shape: [1, width], data: new Float32Array(width) }
  const results = program.predict(
    { [port.name]: step },
    { mask: [false], ...(initialState && { initialState }) },
  )
  return Object.fromEntries(outputs.map(({ name }) => [name, results[name]]))
}

function plainLine({ data }: Tensor): string {
  const float32 = data instanceof Float32Array
  return Array.from(data, (value) => showNumber(value, float32)).join(' ')
}

export function setState(stream: Stream, states: Named<Tensor>): void {
  stream.setState(
    Object.fromEntries(Object.entries(states).map(([name, { data }]) => [name, data])),
  )
}

export function stateOf(stream: Stream): Named<Tensor> {
  return Object.fromEntries(
    Object.entries(stream.getState()).map(([name, data]) => [name, { shape: [data.length], data }]),
  )
}
