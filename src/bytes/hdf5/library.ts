/** Fetches h5wasm: HDF5's own library in C, compiled to WebAssembly. */

import { GruvError } from '../../errors.ts'

/** @throws GruvError `unsupported` where the host has no WebAssembly, or does not let it compile. */
export async function hdf5Library(): Promise<typeof import('h5wasm')> {
  if (typeof WebAssembly === 'undefined') throw withoutWasm('a host without it')
  const library = await import('h5wasm')
  try {
    await library.ready
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause)
    // Advice to those who build the library.
    throw withoutWasm(text.replace(/\. Build with .*/s, ''), cause)
  }
  return library
}

function withoutWasm(got: string, cause?: unknown): GruvError {
  return new GruvError('unsupported', 'HDF5 files are read and written by WebAssembly', {
    expected: 'a host that compiles it',
    got,
    fix: "Let the page's policy have 'wasm-unsafe-eval', or convert the file to .safetensors elsewhere.",
    ...(cause !== undefined && { cause }),
  })
}
