/** Reads what nodes that hold their arrays packed have in common, as frameworks pack them. */

import { GruvError } from '../../errors.ts'
import type { Activation } from '../../model/activation/activations.ts'
import { choices } from '../../model/conventions/choices.ts'
import { type Ground, stated } from '../../model/conventions/grounds.ts'
import type { PackedArrays, RecurrentBehaviour } from '../../model/recurrent/packed.ts'
import type { Tensor } from '../../tensor.ts'
import { bool, type JsonObject, oneOf } from '../decode.ts'
import { activationField, number } from './fields.ts'
import type { TakePart } from './node-format.ts'

const FILE = 'the file says so'

export function packedArrays(tensor: TakePart, where: string): PackedArrays {
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

/** A convention that the node states. @param choice its name in the table of choices. */
export function convention<T extends string>(
  node: JsonObject,
  key: string,
  where: string,
  choice = key as keyof typeof choices,
): Ground<T> {
  const known = choices[choice] as readonly string[] as readonly T[]
  return stated(oneOf(node[key], known, `${where}.${key}`), FILE)
}

export function readTransposed(node: JsonObject, where: string): Ground<'yes' | 'no'> {
  return stated(bool(node.transposed, `${where}.transposed`) ? 'yes' : 'no', FILE)
}

export function readActivation(node: JsonObject, key: string, where: string): Ground<Activation> {
  return stated(activationField.read(node[key], `${where}.${key}`), FILE)
}

/** All optional: a layer runs forward, repeats masked outputs and does not clip unless it says so. */
export function readBehaviour(node: JsonObject, where: string): RecurrentBehaviour {
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
