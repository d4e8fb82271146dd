/** Writes a model as gruv's own file: a description in JSON and named tensors (docs/format.md). */

import { writeSafetensors } from '../../bytes/safetensors.ts'
import type { LayerNode, Model, Port } from '../../model/types.ts'
import type { Named, Tensor } from '../../tensor.ts'
import { GRAPH_VERSION, type NodeWriter } from './node-format.ts'
import { type StorageType, storeArrays } from './storage.ts'
import { writers } from './write-nodes.ts'

/**
 * The same model, with its reference data if it has some, as the bytes of a file.
 * @param storage what the trained numbers are rounded to (docs/format.md); as they are by default.
 * @throws GruvError `unsupported` when the numbers do not fit that type.
 */
export function writeSafetensorsModel(model: Model, storage?: StorageType): Uint8Array {
  const tensors: Record<string, Tensor> = {}
  const keep = (prefix: string, arrays: Readonly<Record<string, Tensor | null>>): Named<string> => {
    const present = Object.entries(arrays).filter(
      (entry): entry is [string, Tensor] => entry[1] !== null,
    )
    return Object.fromEntries(
      present.map(([part, tensor]) => {
        let name = `${prefix}.${part}`
        while (Object.hasOwn(tensors, name)) name += '_'
        tensors[name] = tensor
        return [part, name]
      }),
    )
  }
  const port = ({ name, shape, axes }: Port): object => ({ name, shape, ...(axes && { axes }) })
  const nodes = model.nodes.map((node) => {
    const { attributes, arrays } = writerOf(node)(node)
    const stored = storeArrays(node, arrays, attributes.transposed === true, storage)
    const names = keep(node.name, stored.arrays)
    const scales = keep(`${node.name}.scale`, stored.scales)
    return {
      kind: node.kind,
      name: node.name,
      inputs: node.inputs,
      outputs: node.outputs,
      ...attributes,
      ...(Object.keys(names).length > 0 && { tensors: names }),
      ...(Object.keys(scales).length > 0 && { scales }),
    }
  })
  const { reference } = model
  const graph = {
    gruv: GRAPH_VERSION,
    name: model.name,
    inputs: model.inputs.map(port),
    outputs: model.outputs.map(({ name, value, axes, shape }) => ({
      name,
      value,
      ...(axes && { axes }),
      ...(axes && axes.length !== shape.length && { shape }),
    })),
    nodes,
    ...(reference && {
      reference: {
        inputs: keep('reference.inputs', reference.inputs),
        outputs: keep('reference.outputs', reference.outputs),
      },
    }),
  }
  return writeSafetensors({ metadata: { gruv: JSON.stringify(graph) }, tensors })
}

// The table's type ties each kind to its node; TypeScript cannot follow an index.
function writerOf({ kind }: LayerNode): NodeWriter<LayerNode> {
  return writers[kind] as NodeWriter<LayerNode>
}
