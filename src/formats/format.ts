/** What a reader is given and what it gives back. One file per format; `index.ts` lists them. */

import type { ConventionOptions } from '../model/conventions.ts'
import type { Model } from '../model/types.ts'
import type { Wiring } from './wiring.ts'

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
  /** The one layer to take, by name, where a file holds the weights of several and no graph. */
  readonly layer?: string
  /** The layer after which the graph ends: what comes behind it is left out. */
  readonly until?: string
  /** Which module of a file that holds several. */
  readonly module?: string
  /** How the modules of a file without an architecture follow each other. */
  readonly wiring?: Wiring
}

/** A file as it arrived: its name for messages, its bytes for everything else. */
export interface SourceFile {
  readonly name: string
  readonly bytes: Uint8Array
  /** What lies beside it; absent where the file came alone. */
  readonly siblings?: Siblings
}

/** The files beside a model: shards of weights, variables, external data. */
export interface Siblings {
  /** By their paths relative to the model, with `/`; null where they cannot be listed. */
  readonly list: () => Promise<readonly string[] | null>
  /** @throws GruvError `unreadable` or `not-found`. Paths are checked before they arrive here. */
  readonly read: (path: string) => Promise<Uint8Array>
}

export interface Format {
  readonly id: string
  /** In words, for messages and `inspect`. */
  readonly title: string
  /** Whether the bytes look like this format; cheap, and decided by content rather than by name. */
  readonly recognizes: (file: SourceFile) => boolean
  /** For formats of several files: what the one to begin with is called. */
  readonly leads?: RegExp
  /** Which of these options its reader knows. */
  readonly takes?: readonly ('layer' | 'until' | 'module' | 'wiring')[]
  /** Loaded when needed: a page that never sees such a file never downloads its reader. */
  readonly read: (file: SourceFile, options: ReadOptions) => Promise<Model>
}

/** The file's name without folders and ending: what a model is called when it does not say. */
export function baseName(name: string): string {
  const file = name.split(/[\\/]/).at(-1) ?? name
  return file.replace(/\.[^.]+$/, '') || 'model'
}
