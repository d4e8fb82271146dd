/**
 * The entry point `gruv/hdf5`: HDF5 files as trees of groups and arrays, read and written. `gruv`
 * imports it by this name when a file needs it, so that a bundler can leave it out.
 */

export { readHdf5 } from './hdf5.ts'
export type { Hdf5Dataset, Hdf5Group } from './tree.ts'
export type { Hdf5Attribute } from './values.ts'
export { writeHdf5 } from './write.ts'
