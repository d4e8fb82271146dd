/** Reads nodes of every kind. */

import { allSignatures } from '../../model/shapes/all.ts'
import type { LayerNode } from '../../model/types.ts'
import { coreReaders } from './core-nodes.ts'
import { type DescribedKind, descriptions, fieldsOf, forDescribed } from './descriptions.ts'
import type { KindTables, NodeReader, NodeReaders } from './node-format.ts'
import { required } from './packed.ts'
import { recurrentReaders } from './recurrent-nodes.ts'

const allReaders: NodeReaders = {
  ...coreReaders,
  ...recurrentReaders,
  // A description ties each kind to its node; TypeScript cannot follow that through an index.
  ...(forDescribed(described) as unknown as NodeReaders<DescribedKind>),
}

export const allKinds: KindTables = { readers: allReaders, signatures: allSignatures }

/** The reader of a kind, from its description. */
function described(kind: DescribedKind): NodeReader<LayerNode> {
  const { arrays } = descriptions[kind]
  return (name, node, tensor, where) => {
    const attributes = fieldsOf(kind).map(
      ([key, field]) => [key, field.read(node[key], `${where}.${key}`)] as const,
    )
    const weights = Object.entries(arrays).map(
      ([part, need]) =>
        [
          part,
          need === 'required' ? required(tensor, part, where) : (tensor(part) ?? null),
        ] as const,
    )
    return {
      kind,
      name,
      ...Object.fromEntries(attributes),
      ...(weights.length > 0 && { weights: Object.fromEntries(weights) }),
      conventions: [],
    } as never
  }
}
