/** A model as gruv's own file (docs/format.md). */

import { writeSafetensors } from '../bytes/safetensors.ts'
import type { Model } from '../model/types.ts'
import { writeGraph } from './gruv/graph.ts'
import type { StorageType } from './gruv/storage.ts'

/**
 * The same model, with its reference data if it has some, as the bytes of a file.
 * @param storage what the trained numbers are rounded to (docs/format.md); as they are by default.
 * @throws GruvError `unsupported` when the numbers do not fit that type.
 */
export function writeSafetensorsModel(model: Model, storage?: StorageType): Uint8Array {
  const { graph, tensors } = writeGraph(model, storage)
  return writeSafetensors({ metadata: { gruv: JSON.stringify(graph) }, tensors })
}
