/** From wherever the bytes are to a Model. */

import type { ArrayNames, Siblings } from './formats/format.ts'
import type { Wiring } from './formats/wiring.ts'
import type { ConventionOptions } from './model/conventions.ts'
import { type PlainModel, plainModel } from './model/plain.ts'
import type { Model } from './model/types.ts'

export interface LoadOptions {
  /** What is known of a file that does not say it itself. */
  readonly conventions?: ConventionOptions
  /** Which array is which, in a container whose names do not tell. */
  readonly names?: ArrayNames
  /** The one layer to take, where a file holds the weights of several and no graph. */
  readonly layer?: string
  /** The layer after which the graph ends, such as the last one before something unsupported. */
  readonly until?: string
  /** Which module of a file that holds several, such as a PyTorch state dict. */
  readonly module?: string
  /** How the modules of such a file follow each other; see `compose`. */
  readonly wiring?: Wiring
  /**
   * Whether to run the model on the reference data inside its file, on this very machine, and
   * refuse it when the outputs are not those that came with it. Only gruv's own files hold any.
   */
  readonly verify?: boolean
  /** For messages, and the model's name where the file has none. */
  readonly name?: string
}

/**
 * Files by their paths, as a folder drop or a test gives them; of a URL only what is read is
 * fetched. The model is the one that is called as its format says (`model.json`,
 * `saved_model.pb`), else the first.
 */
export type FileSet = Readonly<Record<string, Uint8Array | Blob | URL>>

export type ModelSource = string | URL | Uint8Array | ArrayBuffer | Blob | Response | FileSet

/** What has come of a source. */
export interface Arrival {
  /** Absent where a server did not give them. */
  readonly bytes?: Uint8Array
  /** What a server said, or why none did. */
  readonly answer?: Response | Error
  /** Where the source alone does not tell it. */
  readonly name?: string
  readonly siblings?: Siblings
}

/**
 * Reads a trained model from a path (Node; a file, or a folder), a URL, or bytes; the format is
 * recognised by content. Files that belong to it are looked for beside it.
 * @throws GruvError with the file's name in `where`; nothing in a file is ever executed. With
 *   `verify`, `differs` when the outputs are not those in the file, `not-found` when it has none.
 */
export async function load(source: ModelSource, options: LoadOptions = {}): Promise<Model> {
  const arriving = arrive(source)
  try {
    const { bytes, name = String(source) } = await arriving
    const { name: said = name, ...more } = options
    if (Object.values(more).every((option) => option === undefined || option === null))
      return plainModel(await readPlain(bytes!, baseName(said)))
  } catch {
    // What is unusual, or wrong, is for those who know every rule and every message.
  }
  return (await sources()).loadWhole(source, options, arriving)
}

function sources(): Promise<typeof import('./sources.ts')> {
  return import('./sources.ts')
}

async function arrive(source: ModelSource): Promise<Arrival> {
  // Before anything else that is global: Node takes 30 ms to make its `Response` when it is first named.
  if (source instanceof Uint8Array || source instanceof ArrayBuffer || source instanceof Blob) {
    const { name = 'model' } = source as Partial<File>
    if (source instanceof Uint8Array) return { name, bytes: source }
    return { name, bytes: new Uint8Array(await new Blob([source]).arrayBuffer()) }
  }
  const isNode = typeof process !== 'undefined' && process.versions?.node !== undefined
  const isAddress = typeof source === 'string' || source instanceof URL
  // In Node it may as well be a path.
  if (isNode || !isAddress) return (await sources()).arriveFrom(source)
  const answer = await fetch(source).catch((error: Error) => error)
  if (answer instanceof Error || !answer.ok) return { answer }
  return { answer, bytes: new Uint8Array(await answer.arrayBuffer()) }
}

/** By the reader that files with such a beginning are for; throws where a whole one has to look. */
async function readPlain(bytes: Uint8Array, name: string): Promise<PlainModel> {
  const head = String.fromCharCode(...bytes.subarray(0, 300))
  if (head.startsWith('PK') && head.includes('.npy'))
    return (await import('./formats/plain-npz.ts')).readPlain(bytes, name)
  if (head.slice(6, 9) !== '\0\0{') throw new Error('not plain')
  return (await import('./formats/plain-safetensors.ts')).readPlain(bytes, name)
}

/** As in `format.ts`. */
function baseName(name: string): string {
  return name.replace(/.*[\\/]/s, '').replace(/\.[^.]+$/, '') || 'model'
}
