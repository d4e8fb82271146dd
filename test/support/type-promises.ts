/** A user's files that hold the types of the package to what they promise. */

/** What projects have to do with the DOM. */
export const libraries = {
  'without the DOM': ['es2022'],
  'with the DOM': ['es2022', 'DOM'],
  'of a worker': ['es2022', 'webworker'],
}
/** How projects find what they import. */
export const resolutions = {
  nodenext: { module: 'nodenext' },
  bundler: { module: 'esnext', moduleResolution: 'bundler' },
}

interface Manifest {
  readonly exports: Readonly<Record<string, string>>
}

/** A file that imports everything the package has. */
export function entriesImported({ exports }: Manifest): string {
  const names = Object.entries(exports)
    .filter(([, file]) => file.endsWith('.js'))
    .map(([entry]) => entry.replace('.', 'gruv'))
  return names.map((name, i) => `export * as entry${i} from '${name}'\n`).join('')
}

/** Compiles under `noUncheckedIndexedAccess` if the names that are known are, and no others. */
export const promises = `
import { type AsyncRunOptions, compile, load, type Program, type RunOptions, type Tensor } from 'gruv'
import { convert } from 'gruv/convert'
import { readData } from 'gruv/data'
import { stateJacobian } from 'gruv/trace'
import { verify } from 'gruv/verify'

declare const shape: (tensor: Tensor) => void
declare const numbers: (values: Float32Array | Float64Array) => void
declare const some: readonly string[]

const model = await load(new URL('https://example.org/model.onnx'))
const program = await compile(model)

const { y } = program.predict([[1]])
shape(y)
shape(program.predict([[1]], { mask: [1] }).y)
shape((await program.predictAsync([[1]], { onProgress: () => {} })).y)

// What is asked for by name is there; everything else may not be.
const { left, right } = program.predict([[1]], { outputs: ['left', 'right'] })
shape(left)
shape(right)
shape(program.predict<'left'>([[1]]).left)
// @ts-expect-error
shape(program.predict([[1]]).left)
// @ts-expect-error
shape(program.predict([[1]], { outputs: ['left'] }).y)
// @ts-expect-error
shape(program.predict([[1]], { outputs: some }).y)

const stream = program.stream()
numbers(stream.input)
numbers(stream.output)
numbers(stream.inputs.x)
numbers(stream.outputs.y)
numbers(program.stream<'left'>().outputs.left)
numbers(stream.getState<'gru.h'>()['gru.h'])
stream.setState(stream.getState())
// @ts-expect-error
numbers(stream.getState()['gru.h'])

const data = await readData(new Uint8Array(), 'x.npy')
shape(data.tensors.data)
shape((await readData<'x'>(new Uint8Array(), 'x.npz')).tensors.x)
verify(model, { input: y, expected: y }).outputs.y.tolerance.toString()
const { bytes, outputs } = await convert(model, 'model.onnx')
outputs.y.maxAbsolute.toFixed()
bytes.length.toFixed()
shape(stateJacobian(model, y, { layer: 'gru', back: 1 }).h.h)

// A program can be wrapped.
export const wrapped: Program = {
  ...program,
  predict: (x, options) => program.predict(x, options),
  predictAsync: (x, options) => program.predictAsync(x, options),
}
export const later = (options: RunOptions) => program.predict([[1]], options)
export const slow = (options: AsyncRunOptions) => program.predictAsync([[1]], options)
`
