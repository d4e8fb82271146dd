/** What a format that is written looks like to whoever converts. */

import { GruvError } from '../errors.ts'
import type { ReadOptions } from '../formats/format.ts'
import type { StorageType } from '../formats/gruv/storage.ts'
import type { LayerNode, Model } from '../model/types.ts'

export interface Written {
  readonly bytes: Uint8Array
  /** What the file does not hold though the model does, a sentence each; numbers do not depend on it. */
  readonly notes: readonly string[]
  /** What a reader of the file has to be told, since the file cannot say it. */
  readonly reading?: ReadOptions
  /** The model with its numbers as the file holds them, where those are others: rounded, or summed. */
  readonly held?: Model
  /** What is read back in place of the file, where that is only a part of a model. */
  readonly proof?: Uint8Array
}

export interface Target {
  readonly id: string
  /** In words. */
  readonly title: string
  /** What names of such files end in. */
  readonly ending: string
  /** Whether inputs and outputs keep the order of axes that the model's ports state. */
  readonly keepsAxes: boolean
  /** @throws GruvError `unsupported`, naming the layer, for what the format cannot hold. */
  readonly write: (model: Model, storage: StorageType | undefined) => Promise<Written>
}

/** A layer, or something about it, that the format has no word for. */
export function cannotHold(title: string, node: LayerNode, what: string, fix?: string): GruvError {
  return new GruvError('unsupported', `${title} cannot hold ${what}`, {
    where: node.name,
    got: node.kind,
    fix: fix ?? 'A gruv model (.safetensors) holds everything.',
  })
}
