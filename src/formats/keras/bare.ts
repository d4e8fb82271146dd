/**
 * Builds models from Keras weights without a configuration. The shapes say which layer is recurrent
 * and of which kind; Keras's usual activations are assumed, and recorded as assumed.
 */

import { GruvError } from '../../errors.ts'
import type { Model } from '../../model/types.ts'
import { showShape, type Tensor } from '../../tensor.ts'
import type { ReadOptions } from '../format.ts'
import { importKeras } from './import.ts'
import { assign, type NamedTensor } from './weights.ts'

export interface FoundLayer {
  readonly name: string
  /** Other names for it: the paths of its arrays. */
  readonly paths: readonly string[]
  readonly arrays: readonly NamedTensor[]
}

interface Guess {
  readonly className: string
  /** What the arrays say of the configuration. */
  readonly config: Readonly<Record<string, unknown>>
  readonly features: number
  readonly recurrent: boolean
}

const recurrentByGates: Readonly<Record<number, string>> = { 1: 'SimpleRNN', 3: 'GRU', 4: 'LSTM' }

/**
 * @param ordered whether the layers are in the order in which the model runs them; a chain of all
 *   of them is then preferred.
 * @throws GruvError `not-found` when no layer, or more than one, is recurrent and none is chosen.
 */
export function importBare(
  file: { readonly name: string; readonly source: string; readonly bytes: number },
  layers: readonly FoundLayer[],
  options: ReadOptions,
  ordered = false,
): Model {
  const guesses = layers.map((layer) => ({ layer, guess: guessOf(layer.arrays) }))
  const chosen = options.layer === undefined ? null : choose(guesses, options.layer)
  const whole = ordered && chosen === null && isChain(guesses)
  const taken = chosen !== null ? [chosen] : whole ? guesses : [onlyRecurrent(guesses)]
  const left = layers.filter((layer) => !taken.some((each) => each.layer === layer))
  const [first] = taken
  const config = {
    class_name: 'Sequential',
    config: {
      name: file.name,
      layers: taken.map(({ layer, guess }, i) => ({
        class_name: guess!.className,
        config: {
          name: layer.name,
          ...guess!.config,
          ...(i === 0 && {
            batch_input_shape: [
              null,
              null,
              ...(guess!.className === 'Embedding' ? [] : [first.guess!.features]),
            ],
          }),
        },
      })),
    },
  }
  const { layer: _, ...rest } = options
  return importKeras(
    {
      ...file,
      config,
      version: null,
      guessed: true,
      weights: () => ({
        find: (layerPath, slots) => {
          const name = layerPath[0].layer.name
          return assign(layerPath, slots, layers.find((layer) => layer.name === name)!.arrays)
        },
        warnings: [
          'the file holds weights without a configuration: what the layers do is read off their shapes',
          ...(left.length === 0 ? [] : [`not used: ${left.map(({ name }) => name).join(', ')}`]),
        ],
      }),
    },
    rest,
  )
}

type Found = { readonly layer: FoundLayer; readonly guess: Guess | null }

function choose(found: readonly Found[], wanted: string): Found {
  const path = wanted.replaceAll('\\', '/').replace(/\/+$/, '')
  const fitting = found.filter(
    ({ layer }) =>
      layer.name === path ||
      layer.paths.some((each) => each === path || each.startsWith(`${path}/`)),
  )
  if (fitting.length === 1 && fitting[0].guess !== null) return fitting[0]
  throw new GruvError(
    'not-found',
    fitting.length === 0
      ? `the file has no layer '${wanted}'`
      : `'${wanted}' is no layer whose kind its shapes tell`,
    { expected: `one of ${list(found)}` },
  )
}

function onlyRecurrent(found: readonly Found[]): Found {
  const recurrent = found.filter(({ guess }) => guess?.recurrent)
  if (recurrent.length === 1) return recurrent[0]
  throw new GruvError(
    'not-found',
    recurrent.length === 0
      ? 'none of these weights are those of a recurrent layer'
      : 'the file holds several recurrent layers and does not say how they are connected',
    {
      got: list(found),
      fix: 'Choose one: `--layer NAME`, or the option `layer` of load.',
    },
  )
}

function list(found: readonly Found[]): string {
  return found
    .slice(0, 20)
    .map(({ layer, guess }) => {
      const shapes = layer.arrays.map(({ tensor }) => showShape(tensor.shape)).join(' ')
      return `${layer.name} (${guess?.className ?? 'unknown'}: ${shapes})`
    })
    .join(', ')
}

/** Whether each layer takes what the one before it gives. */
function isChain(found: readonly Found[]): boolean {
  return found.every(({ layer, guess }, i) => {
    if (guess === null) return false
    const before = found[i - 1]
    return before === undefined || widthOf(before) === guess.features || layer.arrays.length === 0
  })
}

function widthOf({ layer, guess }: Found): number {
  const last = layer.arrays.findLast(({ tensor }) => tensor.shape.length === 2)!.tensor.shape
  if (guess!.className === 'Bidirectional') return 2 * layer.arrays[1].tensor.shape[0]
  return guess!.recurrent ? layer.arrays[1].tensor.shape[0] : last[1]
}

function guessOf(arrays: readonly NamedTensor[]): Guess | null {
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
  return recurrentGuess(tensors) ?? denseGuess(arrays)
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

function sameShapes(a: readonly Tensor[], b: readonly Tensor[]): boolean {
  return a.every(({ shape }, i) => showShape(shape) === showShape(b[i].shape))
}
