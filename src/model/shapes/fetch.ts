/** Fetches what the kinds of layers in a model are to the outside. */

import type { LayerNode, Port } from '../types.ts'
import { coreShapes, coreSignatures } from './core.ts'
import type { Signatures } from './signatures.ts'

/** @param ports whose axes, if they have some, are checked. */
export async function signaturesFor(
  nodes: readonly LayerNode[],
  ports: readonly Partial<Port>[] = [],
): Promise<Signatures> {
  const isCore =
    nodes.every(({ kind }) => Object.hasOwn(coreShapes, kind)) && !ports.some(({ axes }) => axes)
  if (isCore) return coreSignatures
  return (await import('./all.ts')).allSignatures
}
