/** Reads the data of a comparison: inputs, and the outputs that they should give. */

import { GruvError, type Model, type Named, type Tensor } from '../index.ts'
import { statesOf } from '../model/index.ts'
import { readNamed } from './files.ts'
import { readInputs, type TableFlags } from './inputs.ts'

export interface ComparisonFlags extends Partial<TableFlags> {
  readonly input?: readonly string[]
  readonly expected?: readonly string[]
  readonly initialState?: readonly string[]
}

export interface ComparisonData {
  readonly input: Named<Tensor>
  /** Under `--missing mask`. */
  readonly mask?: Tensor
  readonly expected: Named<Tensor>
  readonly initialState?: Named<Tensor>
}

/** From the files that the flags name; without flags, the model's own reference data. */
export async function readComparisonData(
  model: Model,
  flags: ComparisonFlags,
): Promise<ComparisonData> {
  const { input, expected } = flags
  if (input === undefined || expected === undefined) return dataOfModel(model, flags)
  const inputs = model.inputs.map(({ name }) => name)
  const outputs = model.outputs.map(({ name }) => name)
  const states = model.nodes.flatMap(statesOf).map(({ name }) => name)
  const data = {
    ...(await readInputs(input, inputs, flags)),
    expected: await readNamed(expected, [...outputs, ...states], '--expected'),
    ...(flags.initialState && {
      initialState: await readNamed(flags.initialState, states, '--initial-state'),
    }),
  }
  if (Object.keys(data.expected).length === 0) {
    throw new GruvError('bad-file', 'there is nothing to compare with', {
      where: expected.join(', '),
    })
  }
  return data
}

function dataOfModel(
  { reference }: Model,
  { input, expected, initialState }: ComparisonFlags,
): ComparisonData {
  if (input !== undefined || expected !== undefined || initialState !== undefined) {
    throw new GruvError('bad-argument', 'half of a comparison was given', {
      expected: 'both --input and --expected, or neither where the model came with its own',
      got: `no ${input === undefined ? '--input' : '--expected'}`,
    })
  }
  if (reference === null) {
    throw new GruvError('not-found', 'there is nothing to compare with', {
      expected: '--input and --expected, or a model that came with reference data',
      got: 'neither',
      fix: '`gruv convert MODEL OUT.safetensors --reference INPUT,EXPECTED` puts such data in.',
    })
  }
  return { input: reference.inputs, expected: reference.outputs }
}
