/**
 * A safetensors file with a gruv model or a bare layer, as most are; throws where the whole reader
 * has to look.
 */

import { readPlainSafetensors } from '../bytes/plain-safetensors.ts'
import type { PlainModel } from '../model/plain.ts'
import { readPlainGraph } from './gruv/plain.ts'

export async function readPlain(bytes: Uint8Array, name: string): Promise<PlainModel> {
  const { metadata, tensors } = readPlainSafetensors(bytes)
  if (metadata.gruv !== undefined) return readPlainGraph(metadata.gruv, tensors, name)
  const { plainLayer } = await import('./plain-npz.ts')
  return plainLayer(name, 'safetensors, bare arrays', tensors)
}
