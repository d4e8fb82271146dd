/** What a reader is given and what it gives back. One file per format; `index.ts` lists them. */

import { GruvError } from '../errors.ts'
import type { ConventionOptions } from '../model/conventions.ts'
import type { Model } from '../model/types.ts'

/** Which array of a container plays which part, for containers whose names do not tell. */
export interface ArrayNames {
  /** Input kernel W. */
  readonly w?: string
  /** Recurrent kernel U. */
  readonly u?: string
  /** Bias, or input bias. */
  readonly b?: string
  /** Recurrent bias, where it is an array of its own. */
  readonly br?: string
}

export interface ReadOptions {
  /** What the caller knows and the file does not say. It goes before what is implied or assumed. */
  readonly conventions?: ConventionOptions
  readonly names?: ArrayNames
}

/** A file as it arrived: its name for messages, its bytes for everything else. */
export interface SourceFile {
  readonly name: string
  readonly bytes: Uint8Array
}

export interface Format {
  readonly id: string
  /** In words, for messages and `inspect`. */
  readonly title: string
  /** Whether the bytes look like this format; cheap, and decided by content rather than by name. */
  readonly recognizes: (file: SourceFile) => boolean
  /** Loaded when needed: a page that never sees such a file never downloads its reader. */
  readonly read: (file: SourceFile, options: ReadOptions) => Promise<Model>
}

/** The file's name without folders and ending: what a model is called when it does not say. */
export function baseName(name: string): string {
  const file = name.split(/[\\/]/).at(-1) ?? name
  return file.replace(/\.[^.]+$/, '') || 'model'
}

/** For formats that state their conventions: an override would hide that the file says otherwise. */
export function refuseConventions(options: ReadOptions, why: string): void {
  const said = [
    ...Object.keys(options.conventions ?? {}),
    ...(options.names === undefined ? [] : ['names']),
  ]
  if (said.length === 0) return
  throw new GruvError('bad-argument', `${said.join(', ')} cannot be set for this file`, {
    got: why,
  })
}
