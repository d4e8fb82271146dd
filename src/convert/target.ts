/** The interface of the formats that models are converted to. */

import { GruvError } from '../errors.ts'
import type { ReadOptions } from '../formats/format.ts'
import type { StorageType } from '../formats/gruv/storage.ts'
import type { LayerNode, Model, RecurrentNode } from '../model/types.ts'

export interface Written {
  readonly bytes: Uint8Array
  /** What the model has and the file cannot hold, a sentence each; no number depends on it. */
  readonly notes: readonly string[]
  /** Options that a reader of the file needs, since the file cannot state them. */
  readonly reading?: ReadOptions
  /** The model with its numbers as they are in the file, where those differ: rounded, or summed. */
  readonly held?: Model
  /** The bytes to read back instead of the file, where the file is only a part of a model. */
  readonly proof?: Uint8Array
}

export interface Target {
  /** In words. */
  readonly title: string
  /** The ending of such files' names. */
  readonly ending: string
  /** Whether inputs and outputs keep the order of axes that the model's ports state. */
  readonly keepsAxes: boolean
  /** @throws GruvError `unsupported`, naming the layer, for what the format cannot hold. */
  readonly write: (model: Model, storage: StorageType | undefined) => Promise<Written>
}

/** Layers other than GRU, LSTM and simple RNN, which converters handle separately. */
export type OtherNode = Exclude<LayerNode, RecurrentNode>

/** The error for a layer, or a feature of one, that the format cannot hold. */
export function cannotHold(title: string, node: LayerNode, what: string, fix?: string): GruvError {
  return new GruvError('unsupported', `${title} cannot hold ${what}`, {
    where: node.name,
    got: node.kind,
    fix: fix ?? 'A gruv model (.safetensors) holds everything.',
  })
}
