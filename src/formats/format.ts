/**
 * The types that all readers share: source files, options, formats. `core.ts` and `others.ts` list
 * the formats.
 */

import { GruvError } from '../errors.ts'
import type { LimitOptions } from '../limits.ts'
import type { ConventionOptions } from '../model/conventions/conventions.ts'
import type { Model } from '../model/types.ts'
import type { Wiring } from './wiring/wiring.ts'

/** Which array of a container is which, for containers whose names do not say. */
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
  /** Conventions that the caller knows. They take precedence over implied and assumed ones. */
  readonly conventions?: ConventionOptions
  /** Which array is which, in a container whose names do not tell. */
  readonly names?: ArrayNames
  /** The one layer to take, by name, where a file holds the weights of several and no graph. */
  readonly layer?: string
  /**
   * The layers after which the graph ends, such as the last one before something unsupported; of an
   * ONNX graph, outputs, values or nodes.
   */
  readonly until?: string | readonly string[]
  /** Inputs of an ONNX graph that are fixed numbers; what depends on them alone is computed. */
  readonly set?: Readonly<Record<string, number>>
  /** Which module of a file that holds several, such as a PyTorch state dict. */
  readonly module?: string
  /** How the modules of such a file follow each other; see `compose`. */
  readonly wiring?: Wiring
  /** What the file may cost; defaults grow with its size (`src/limits.ts`). */
  readonly limits?: LimitOptions
}

/** A file as it arrived: its name for messages, its bytes for everything else. */
export interface SourceFile {
  readonly name: string
  readonly bytes: Uint8Array
  /** The files beside it; absent where the file came alone. */
  readonly siblings?: Siblings
}

/** The files beside a model: shards of weights, variables, external data. */
export interface Siblings {
  /** By their paths relative to the model, with `/`; null where they cannot be listed. */
  readonly list: () => Promise<readonly string[] | null>
  /** @throws GruvError `unreadable` or `not-found`. Paths are checked before they arrive here. */
  readonly read: (path: string) => Promise<Uint8Array>
}

/** @typeParam R what reads it: the reader of `load`, or one without waiting. */
export interface Format<R = (file: SourceFile, options: ReadOptions) => Promise<Model>> {
  readonly id: string
  /** In words, for messages and `inspect`. */
  readonly title: string
  /** Whether the bytes look like this format; cheap, and decided by content rather than by name. */
  readonly recognizes: (file: SourceFile) => boolean
  /** For formats of several files: the name of the one to begin with. */
  readonly leads?: RegExp
  /** Which of these options its reader knows. */
  readonly takes?: readonly ('layer' | 'until' | 'set' | 'module' | 'wiring')[]
  /** Loaded when needed: a page that never sees such a file never downloads its reader. */
  readonly read: R
}

/** The file's name without folders and ending, which names a model that has no name of its own. */
export function baseName(name: string): string {
  const file = name.split(/[\\/]/).at(-1) ?? name
  return file.replace(/\.[^.]+$/, '') || 'model'
}

/** The name in the first local header (APPNOTE 4.3.7): length at 26, name at 30. */
export function firstEntry(bytes: Uint8Array): string {
  const length = (bytes[26] ?? 0) | ((bytes[27] ?? 0) << 8)
  return String.fromCharCode(...bytes.subarray(30, 30 + Math.min(length, 256)))
}

/**
 * For formats that state their conventions: an override would hide that the file says otherwise.
 */
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
