/**
 * The entry point `gruv/hdf5`: all that needs an HDF5 library, which is a hundred times the size of
 * the rest. `load` and `convert` import it by this name, so that a bundler can leave it out.
 */

export { writeHdf5 } from './bytes/hdf5/write.ts'
export { readKerasArchive, readKerasConfig } from './formats/keras/archive.ts'
export { readKerasH5 } from './formats/keras/h5.ts'
