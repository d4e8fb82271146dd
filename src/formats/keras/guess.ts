/** Reads off the shapes of Keras weights which kind of layer they are of. */

import { showShape, type Tensor } from '../../tensor.ts'
import type { NamedTensor } from './weights.ts'

export interface FoundLayer {
  readonly name: string
  /** Other names for it: the paths of its arrays. */
  readonly paths: readonly string[]
  readonly arrays: readonly NamedTensor[]
}

export interface Guess {
  readonly className: string
  /** What the arrays say of the configuration. */
  readonly config: Readonly<Record<string, unknown>>
  readonly features: number
  readonly recurrent: boolean
}

const recurrentByGates: Readonly<Record<number, string>> = { 1: 'SimpleRNN', 3: 'GRU', 4: 'LSTM' }

export type Found = { readonly layer: FoundLayer; readonly guess: Guess | null }

/** Of the first layer: whole numbers for a table, else vectors. */
export function inputShape({ className, features }: Guess): readonly (number | null)[] {
  return className === 'Embedding' ? [null, null] : [null, null, features]
}

export function guessOf(arrays: readonly NamedTensor[]): Guess | null {
  const tensors = arrays.map(({ tensor }) => tensor)
  const half = tensors.length / 2
  if (Number.isInteger(half) && half >= 2) {
    const [forward, backward] = [tensors.slice(0, half), tensors.slice(half)]
    const one = recurrentGuess(forward)
    if (one !== null && sameShapes(forward, backward)) {
      const layer = {
        class_name: one.className,
        config: { name: one.className.toLowerCase(), ...one.config },
      }
      return { ...one, className: 'Bidirectional', config: { layer, merge_mode: 'concat' } }
    }
  }
  return recurrentGuess(tensors) ?? denseGuess(arrays) ?? normalizationGuess(tensors)
}

function recurrentGuess(tensors: readonly Tensor[]): Guess | null {
  const [kernel, recurrent, bias] = tensors
  if (tensors.length < 2 || tensors.length > 3) return null
  if (kernel.shape.length !== 2 || recurrent.shape.length !== 2) return null
  const [units, width] = recurrent.shape
  const gates = width / units
  if (kernel.shape[1] !== width || !Object.hasOwn(recurrentByGates, gates) || units === 0)
    return null
  // cuDNN's layers keep their two biases one after the other.
  const cudnn = gates > 1 && bias?.shape.length === 1 && bias.shape[0] === 2 * width
  const className = `${cudnn ? 'CuDNN' : ''}${recurrentByGates[gates]}`
  if (
    bias !== undefined &&
    !cudnn &&
    (bias.shape.at(-1) !== width || (bias.shape.length === 2 && className !== 'GRU'))
  )
    return null
  return {
    className,
    config: { units, return_sequences: true, use_bias: bias !== undefined },
    features: kernel.shape[0],
    recurrent: true,
  }
}

function denseGuess(arrays: readonly NamedTensor[]): Guess | null {
  const [kernel, bias] = arrays.map(({ tensor }) => tensor)
  if (kernel === undefined || arrays.length > 2 || kernel.shape.length !== 2) return null
  const [features, units] = kernel.shape
  if (arrays[0].name.endsWith('embeddings'))
    return { className: 'Embedding', config: {}, features: 0, recurrent: false }
  if (bias !== undefined && (bias.shape.length !== 1 || bias.shape[0] !== units)) return null
  return {
    className: 'Dense',
    config: { units, use_bias: bias !== undefined },
    features,
    recurrent: false,
  }
}

/** Vectors of one length: scale and shift, and the moments of a BatchNormalization. */
function normalizationGuess(tensors: readonly Tensor[]): Guess | null {
  const [features] = tensors[0]?.shape ?? []
  if (!tensors.every(({ shape }) => shape.length === 1 && shape[0] === features)) return null
  const className = { 2: 'LayerNormalization', 4: 'BatchNormalization' }[tensors.length]
  return className === undefined ? null : { className, config: {}, features, recurrent: false }
}

function sameShapes(a: readonly Tensor[], b: readonly Tensor[]): boolean {
  return a.every(({ shape }, i) => showShape(shape) === showShape(b[i].shape))
}
