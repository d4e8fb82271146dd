/** An HDF5 file as a tree of groups, attributes and arrays. */

import type { DType, Tensor } from '../../tensor.ts'
import type { Hdf5Attribute } from './values.ts'

export interface Hdf5Group {
  readonly kind: 'group'
  /** From the root on, `/` between the names; the root's own is `/`. */
  readonly path: string
  readonly attributes: ReadonlyMap<string, Hdf5Attribute>
  /** By name, which may hold anything but `/`, backslashes too; in the order the file keeps. */
  readonly members: ReadonlyMap<string, Hdf5Group | Hdf5Dataset>
}

export interface Hdf5Dataset {
  readonly kind: 'dataset'
  readonly path: string
  readonly attributes: ReadonlyMap<string, Hdf5Attribute>
  readonly shape: readonly number[]
  /** Absent when it holds no numbers. */
  readonly dtype: Exclude<DType, 'text'> | undefined
  /**
   * The numbers, read anew at each call.
   * @throws GruvError `bad-file` when they are damaged or were never written, `unsupported` when
   *   they are none, or lie in another file.
   */
  readonly read: () => Tensor
}

/** The member at a path of names with `/` between them, if there is one. */
export function memberAt(group: Hdf5Group, path: string): Hdf5Group | Hdf5Dataset | undefined {
  let member: Hdf5Group | Hdf5Dataset | undefined = group
  for (const name of path.split('/')) {
    if (name !== '') member = member?.kind === 'group' ? member.members.get(name) : undefined
  }
  return member
}
