/** `gruv run`: computes a model's outputs for the user's data, whole or line by line. */

import { Command } from 'commander'
import { withRunQuirks } from '../diagnose/index.ts'
import { compile, GruvError, type Model, type Named, type Program, type Tensor } from '../index.ts'
import { statesOf } from '../model/index.ts'
import { arraysAsJson, namedPath, readNamed, writeFiles } from './files.ts'
import { addTableFlags, readInputs, type TableFlags } from './inputs.ts'
import { addMaskFlags, type MaskFlags, readMaskFlags } from './masks.ts'
import {
  addConventionFlags,
  type ConventionFlags,
  collect,
  limitsOf,
  loadModel,
  MODEL_ARGUMENT,
  precisionOption,
} from './options.ts'
import { withProgress } from './progress.ts'
import { heading, plainRows, print, sequenceTable } from './render.ts'
import { runLines, setState, stateOf } from './run-lines.ts'

interface RunFlags extends ConventionFlags, MaskFlags, TableFlags {
  readonly input: readonly string[]
  readonly output?: readonly string[]
  readonly initialState?: readonly string[]
  readonly finalState?: string
  readonly precision: 'f32' | 'f64'
  readonly deterministic?: boolean
  readonly stream?: boolean
  readonly json?: boolean
}

export function runCommand(): Command {
  const command = new Command('run')
    .description('Computes the outputs for your data.')
    .argument('<model>', MODEL_ARGUMENT)
    .requiredOption(
      '--input <[name=]file>',
      'input data (.npy .npz .csv .tsv .txt .json .jsonl): [timesteps, features] or [batch, timesteps, features]; - reads lines from standard input',
      collect,
    )
    .option(
      '--output <[name=]file>',
      'where outputs go, by ending as above; an .npz takes all by name',
      collect,
    )
    .option(
      '--initial-state <file>',
      'the state that the sequence starts from; zeros when left out',
      collect,
    )
    .option('--final-state <file>', 'where the state after the last step goes')
    .addOption(precisionOption())
    .option('--deterministic', 'the same bits on every machine and engine')
    .option('--stream', 'step by step, as in real time; the numbers are the same')
    .option('--json', 'print all outputs as JSON, by name')
    .addHelpText(
      'after',
      `
Without --output the first output is printed: as a table on a terminal, as plain rows in a pipe.

Examples:
  gruv run layer.npz --input x.csv
  gruv run model.safetensors --input x.npy --output y.npy --final-state h.npy
  gruv run layer.npz --input gaps.csv --missing hold
  tail -f sensor.txt | gruv run layer.npz --input -`,
    )
  addTableFlags(addMaskFlags(command))
  return addConventionFlags(command).action(async (path: string, flags: RunFlags) => {
    const model = await loadModel(path, flags)
    if (flags.input.includes('-')) await runLines(model, flags, () => compileFor(model, flags))
    else await runFiles(model, flags)
  })
}

async function runFiles(model: Model, flags: RunFlags): Promise<void> {
  const states = model.nodes.flatMap(statesOf).map(({ name }) => name)
  const outputs = model.outputs.map(({ name }) => name)
  const targets = (flags.output ?? []).map((text) => namedPath(text, [...outputs, ...states]))
  const inputs = model.inputs.map(({ name }) => name)
  const { input, mask } = await readInputs(flags.input, inputs, flags)
  const initialState =
    flags.initialState && (await readNamed(flags.initialState, states, '--initial-state'))
  const masks = await readMaskFlags(flags, mask)
  if (flags.stream && Object.keys(masks).length > 0) {
    throw new GruvError('bad-argument', 'a stream passes over no steps: leave them out', {
      where: '--stream',
      got: Object.keys(masks)
        .map((flag) => `--${flag}`)
        .join(', '),
    })
  }
  const program = await compileFor(model, flags)
  const wanted = [
    ...outputs,
    ...(flags.finalState === undefined && !targets.some(({ name }) => states.includes(name ?? ''))
      ? []
      : states),
  ]

  const options = { outputs: wanted, ...masks, ...(initialState && { initialState }) }
  const results = await withProgress('gruv run', async (onProgress) =>
    flags.stream
      ? streamWhole(model, program, input, options)
      : program.predictAsync(input, { ...options, onProgress }),
  )

  const pick = (names: readonly string[]): Named<Tensor> =>
    Object.fromEntries(names.map((name) => [name, results[name]]))
  const files = new Map<string, Named<Tensor>>()
  for (const { name, path } of targets) {
    const names = name !== null ? [name] : path.endsWith('.npz') ? outputs : [outputs[0]]
    files.set(path, { ...files.get(path), ...pick(names) })
  }
  if (flags.finalState !== undefined) {
    if (states.length === 0) {
      throw new GruvError('bad-argument', 'this model carries no state', { where: '--final-state' })
    }
    files.set(flags.finalState, pick(states))
  }
  await writeFiles(files)
  if (flags.json) {
    if (targets.length > 0) print(JSON.stringify({ written: [...files.keys()] }))
    else print(await arraysAsJson(pick(outputs)))
  } else if (targets.length === 0) show(model, results[outputs[0]])
}

function show(model: Model, output: Tensor): void {
  if (!process.stdout.isTTY) {
    print(plainRows(output))
    return
  }
  const [{ name, shape }] = model.outputs
  print(`${heading(name)} [${output.shape.join(', ')}]`)
  print(sequenceTable(output, shape.includes('time') && output.shape.length > 1))
}

/** The same run through `stream()`, step by step. */
function streamWhole(
  model: Model,
  program: Program,
  input: Named<Tensor>,
  options: { readonly outputs: readonly string[]; readonly initialState?: Named<Tensor> },
): Named<Tensor> {
  const [port] = model.inputs
  const tensor = Object.hasOwn(input, port.name) ? input[port.name] : undefined
  if (
    model.inputs.length !== 1 ||
    tensor === undefined ||
    tensor.shape.length !== 2 ||
    !port.shape.includes('time')
  ) {
    throw new GruvError('bad-argument', 'only a single sequence can be streamed', {
      where: '--stream',
      expected: 'one input of [timesteps, features]',
      got: tensor === undefined ? 'no input' : `[${tensor.shape.join(', ')}]`,
    })
  }
  // Checks shapes and states, with the same messages as for whole sequences.
  const first = { shape: [1, tensor.shape[1]], data: tensor.data.subarray(0, tensor.shape[1]) }
  program.predict({ [port.name]: first }, options)

  const stream = program.stream()
  if (options.initialState) setState(stream, options.initialState)
  const steps = tensor.shape[0]
  const collected = new Map(
    model.outputs.map(({ name, shape }) => {
      const overTime = shape.includes('time')
      const width = stream.outputs[name].length
      const data =
        program.engine.precision === 'f32'
          ? new Float32Array(overTime ? steps * width : width)
          : new Float64Array(overTime ? steps * width : width)
      return [name, { shape: overTime ? [steps, width] : [width], data }] as const
    }),
  )
  for (let t = 0; t < steps; t++) {
    stream.input.set(tensor.data.subarray(t * tensor.shape[1], (t + 1) * tensor.shape[1]))
    stream.step()
    for (const [name, { shape, data }] of collected)
      data.set(stream.outputs[name], shape.length === 2 ? t * shape[1] : 0)
  }
  return { ...Object.fromEntries(collected), ...stateOf(stream) }
}

async function compileFor(
  model: Model,
  { precision, deterministic, quirk, ...flags }: RunFlags,
): Promise<Program> {
  const program = await compile(model, {
    precision,
    ...(deterministic && { deterministic }),
    ...limitsOf(flags),
  })
  return withRunQuirks(program, quirk ?? [])
}
