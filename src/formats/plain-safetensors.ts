/** A safetensors file with a gruv model, as most are; throws where the whole reader has to look. */

import { readPlainSafetensors } from '../bytes/plain-safetensors.ts'
import type { PlainModel } from '../model/plain.ts'
import { readPlainGraph } from './gruv/plain.ts'

export function readPlain(bytes: Uint8Array, name: string): PlainModel {
  const { metadata, tensors } = readPlainSafetensors(bytes)
  return readPlainGraph(metadata.gruv, tensors, name)
}
