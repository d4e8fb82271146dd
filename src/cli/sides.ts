/** Both sides of a comparison: what goes in, and what should come out. */

import { GruvError, type Model, type Named, type Tensor } from '../index.ts'
import { statesOf } from '../model/index.ts'
import { readNamed } from './files.ts'

export interface SidesFlags {
  readonly input?: readonly string[]
  readonly expected?: readonly string[]
  readonly initialState?: readonly string[]
}

export interface Sides {
  readonly input: Named<Tensor>
  readonly expected: Named<Tensor>
  readonly initialState?: Named<Tensor>
}

/** From the files that the flags name; without any, from the model, where it came with such data. */
export async function readSides(model: Model, flags: SidesFlags): Promise<Sides> {
  const { input, expected } = flags
  if (input === undefined || expected === undefined) return sidesOf(model, flags)
  const inputs = model.inputs.map(({ name }) => name)
  const outputs = model.outputs.map(({ name }) => name)
  const states = model.nodes.flatMap(statesOf).map(({ name }) => name)
  const sides = {
    input: await readNamed(input, inputs, '--input'),
    expected: await readNamed(expected, [...outputs, ...states], '--expected'),
    ...(flags.initialState && {
      initialState: await readNamed(flags.initialState, states, '--initial-state'),
    }),
  }
  if (Object.keys(sides.expected).length === 0) {
    throw new GruvError('bad-file', 'there is nothing to compare with', {
      where: expected.join(', '),
    })
  }
  return sides
}

function sidesOf({ reference }: Model, { input, expected, initialState }: SidesFlags): Sides {
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
