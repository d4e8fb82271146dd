/** Fetches what reads and writes HDF5 files. */

import { GruvError } from '../../errors.ts'

/**
 * By its public name, so that a bundler can leave it out.
 * @throws GruvError `unsupported` where it was left out.
 */
export async function fetchHdf5(): Promise<typeof import('gruv/hdf5')> {
  try {
    return await import('gruv/hdf5')
  } catch (cause) {
    throw new GruvError('unsupported', 'HDF5 files need the entry gruv/hdf5, which is not here', {
      got: cause instanceof Error ? cause.message : String(cause),
      fix: 'Let the bundler take gruv/hdf5 in, or serve it under that name (an import map).',
      cause,
    })
  }
}
