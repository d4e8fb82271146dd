/** Nodes that hold their arrays packed in a file, as frameworks do: gru, lstm, rnn and dense. */

import { GruvError } from '../../errors.ts'
import { transpose } from '../../model/canonicalize.ts'
import {
  conventionTable,
  type GateOrder,
  type LstmGateOrder,
  type PeepholeOrder,
} from '../../model/conventions.ts'
import { denseNode } from '../../model/dense.ts'
import type { Ground } from '../../model/grounds.ts'
import { gruNode } from '../../model/gru.ts'
import { lstmNode } from '../../model/lstm.ts'
import type { RecurrentBehaviour } from '../../model/packed.ts'
import { joinGates } from '../../model/packing.ts'
import { rnnNode } from '../../model/rnn.ts'
import type { NodeOf, RecurrentNode, Unwired } from '../../model/types.ts'
import type { Named, Tensor } from '../../tensor.ts'
import { bool, type JsonObject, oneOf } from '../decode.ts'
import { activationField, number } from './fields.ts'

export type PackedKind = 'gru' | 'lstm' | 'rnn' | 'dense'

/** The arrays of a node in a file, by their parts. */
export type TakePart = (part: string) => Tensor | undefined

interface PackedFormat<K extends PackedKind> {
  readonly read: (
    name: string,
    node: JsonObject,
    tensor: TakePart,
    where: string,
  ) => Unwired<NodeOf<K>>
  /** Attributes, and the arrays as the source packed them. */
  readonly write: (node: NodeOf<K>) => {
    readonly attributes: Readonly<Record<string, unknown>>
    readonly arrays: Readonly<Record<string, Tensor | null>>
  }
}

export const packedFormats: { readonly [K in PackedKind]: PackedFormat<K> } = {
  gru: {
    read(name, node, tensor, where) {
      const bias = convention<'separate' | 'merged' | 'none'>('bias', node.bias, `${where}.bias`)
      return gruNode(
        name,
        packedArrays(tensor, where),
        {
          gateOrder: convention<GateOrder>('gateOrder', node.gateOrder, `${where}.gateOrder`),
          transposed: readTransposed(node, where),
          reset: convention('reset', node.reset, `${where}.reset`),
          update: convention('update', node.update, `${where}.update`),
          ...(bias.value !== 'none' && { bias: bias as Ground<'separate' | 'merged'> }),
          activation: readActivation(node, 'activation', where),
          recurrentActivation: readActivation(node, 'recurrentActivation', where),
        },
        {},
        readBehaviour(node, where),
      )
    },
    write(node) {
      const order = said(node, 'gateOrder', 'zrn') as GateOrder
      const { kernel, recurrentKernel, inputBias, recurrentBias } = node.weights
      return {
        attributes: {
          gateOrder: order,
          transposed: isTransposed(node),
          reset: node.resetAfter ? 'after' : 'before',
          update: node.update,
          bias: node.bias,
          activation: activationField.write(node.activation),
          recurrentActivation: activationField.write(node.recurrentActivation),
          ...writeBehaviour(node),
        },
        arrays: {
          ...laidOut(node, joinGates(kernel, order), joinGates(recurrentKernel, order)),
          bias: inputBias && joinGates(inputBias, order),
          recurrentBias: recurrentBias && joinGates(recurrentBias, order),
        },
      }
    },
  },
  lstm: {
    read(name, node, tensor, where) {
      const peephole = tensor('peephole')
      return lstmNode(
        name,
        { ...packedArrays(tensor, where), ...(peephole && { peephole }) },
        {
          gateOrder: convention<LstmGateOrder>(
            'lstmGateOrder',
            node.gateOrder,
            `${where}.gateOrder`,
          ),
          transposed: readTransposed(node, where),
          forgetGate: convention('forgetGate', node.forgetGate, `${where}.forgetGate`),
          ...(peephole && {
            peepholeOrder: convention<PeepholeOrder>(
              'peepholeOrder',
              node.peepholeOrder,
              `${where}.peepholeOrder`,
            ),
          }),
          activation: readActivation(node, 'activation', where),
          recurrentActivation: readActivation(node, 'recurrentActivation', where),
          outputActivation: readActivation(node, 'outputActivation', where),
        },
        {},
        readBehaviour(node, where),
      )
    },
    write(node) {
      const order = said(node, 'lstmGateOrder', 'ifgo') as LstmGateOrder
      const peepholeOrder = said(node, 'peepholeOrder', 'iof')
      const { kernel, recurrentKernel, inputBias, recurrentBias, peephole } = node.weights
      return {
        attributes: {
          gateOrder: order,
          transposed: isTransposed(node),
          forgetGate: node.coupled ? 'coupled' : 'own',
          ...(peephole && { peepholeOrder }),
          activation: activationField.write(node.activation),
          recurrentActivation: activationField.write(node.recurrentActivation),
          outputActivation: activationField.write(node.outputActivation),
          ...writeBehaviour(node),
        },
        arrays: {
          ...laidOut(node, joinGates(kernel, order), joinGates(recurrentKernel, order)),
          bias: inputBias && joinGates(inputBias, order),
          recurrentBias: recurrentBias && joinGates(recurrentBias, order),
          peephole: peephole && joinPeephole(peephole, peepholeOrder),
        },
      }
    },
  },
  rnn: {
    read: (name, node, tensor, where) =>
      rnnNode(
        name,
        packedArrays(tensor, where),
        {
          transposed: readTransposed(node, where),
          activation: readActivation(node, 'activation', where),
        },
        {},
        readBehaviour(node, where),
      ),
    write(node) {
      const { kernel, recurrentKernel, inputBias, recurrentBias } = node.weights
      return {
        attributes: {
          transposed: isTransposed(node),
          activation: activationField.write(node.activation),
          ...writeBehaviour(node),
        },
        arrays: {
          ...laidOut(node, kernel, recurrentKernel),
          bias: inputBias,
          recurrentBias,
        },
      }
    },
  },
  dense: {
    read: (name, node, tensor, where) =>
      denseNode(
        name,
        { kernel: required(tensor, 'kernel', where), bias: tensor('bias') },
        readActivation(node, 'activation', where),
        readTransposed(node, where),
      ),
    write(node) {
      const { kernel, bias } = node.weights
      return {
        attributes: {
          transposed: isTransposed(node),
          activation: activationField.write(node.activation),
        },
        arrays: { kernel: isTransposed(node) ? transpose(kernel) : kernel, bias },
      }
    },
  },
}

function packedArrays(
  tensor: TakePart,
  where: string,
): {
  kernel: Tensor
  recurrentKernel: Tensor
  bias: Tensor | undefined
  recurrentBias: Tensor | undefined
} {
  return {
    kernel: required(tensor, 'kernel', where),
    recurrentKernel: required(tensor, 'recurrentKernel', where),
    bias: tensor('bias'),
    recurrentBias: tensor('recurrentBias'),
  }
}

/** @throws GruvError `bad-file` when the node names no such tensor. */
export function required(tensor: TakePart, part: string, where: string): Tensor {
  const found = tensor(part)
  if (found !== undefined) return found
  throw new GruvError('bad-file', `the layer has no ${part}`, {
    where: `${where}.tensors`,
    expected: `the name of a tensor under '${part}'`,
  })
}

function convention<T extends string>(
  key: keyof typeof conventionTable,
  value: unknown,
  where: string,
): Ground<T> {
  return stated(oneOf(value, Object.keys(conventionTable[key].values) as T[], where))
}

function readTransposed(node: JsonObject, where: string): Ground<'yes' | 'no'> {
  return stated(bool(node.transposed, `${where}.transposed`) ? 'yes' : 'no')
}

function readActivation(
  node: JsonObject,
  key: string,
  where: string,
): ReturnType<typeof stated<ReturnType<typeof activationField.read>>> {
  return stated(activationField.read(node[key], `${where}.${key}`))
}

/** All optional: a layer runs forward, repeats masked outputs and does not clip unless it says so. */
function readBehaviour(node: JsonObject, where: string): RecurrentBehaviour {
  const { direction, maskedOutput, clip } = node
  if (clip !== undefined && !(number.read(clip, `${where}.clip`) > 0)) {
    throw new GruvError('bad-file', 'a clip is a positive number', {
      where: `${where}.clip`,
      got: JSON.stringify(clip),
    })
  }
  return {
    ...(direction !== undefined && {
      direction: oneOf(direction, ['forward', 'backward'], `${where}.direction`),
    }),
    ...(maskedOutput !== undefined && {
      maskedOutput: oneOf(maskedOutput, ['repeat', 'zero', 'state'], `${where}.maskedOutput`),
    }),
    ...(clip !== undefined && { clip: clip as number }),
  }
}

/** Without what goes without saying. */
function writeBehaviour({ direction, maskedOutput, clip }: RecurrentNode): RecurrentBehaviour {
  return {
    ...(direction !== 'forward' && { direction }),
    ...(maskedOutput !== 'repeat' && { maskedOutput }),
    ...(clip !== null && { clip }),
  }
}

/** How the source held it, where it was asked. */
function said({ conventions }: NodeOf<PackedKind>, key: string, otherwise: string): string {
  return conventions.find((each) => each.key === key)?.value ?? otherwise
}

function isTransposed(node: NodeOf<PackedKind>): boolean {
  return said(node, 'transposed', 'no') === 'yes'
}

function laidOut(
  node: RecurrentNode,
  kernel: Tensor,
  recurrentKernel: Tensor,
): { readonly kernel: Tensor; readonly recurrentKernel: Tensor } {
  if (!isTransposed(node)) return { kernel, recurrentKernel }
  return { kernel: transpose(kernel), recurrentKernel: transpose(recurrentKernel) }
}

function joinPeephole(peephole: Named<Tensor>, order: string): Tensor {
  const parts = [...order].map((gate) => peephole[gate])
  const data = parts.flatMap((part) => Array.from(part.data))
  const single = parts.every((part) => part.data instanceof Float32Array)
  return {
    ...parts[0],
    shape: [data.length],
    data: single ? Float32Array.from(data) : Float64Array.from(data),
  }
}

function stated<T>(value: T): Ground<T> {
  return { value, origin: 'stated', why: 'the file says so' }
}
