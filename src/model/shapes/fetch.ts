/** Fetches what the kinds of layers in a model are to the outside. */

import type { LayerNode } from '../types.ts'
import { coreShapes, coreSignatures } from './core.ts'
import type { Signatures } from './signatures.ts'

export async function signaturesFor(nodes: readonly LayerNode[]): Promise<Signatures> {
  if (nodes.every(({ kind }) => Object.hasOwn(coreShapes, kind))) return coreSignatures
  return (await import('./all.ts')).allSignatures
}
