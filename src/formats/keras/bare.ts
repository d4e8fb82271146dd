/**
 * Builds models from Keras weights without a configuration. The shapes say which layer is recurrent
 * and of which kind; Keras's usual activations are assumed, and recorded as assumed.
 */

import { GruvError } from '../../errors.ts'
import type { Model } from '../../model/types.ts'
import { showShape } from '../../tensor.ts'
import type { ReadOptions } from '../format.ts'
import { type Found, type FoundLayer, type Guess, guessOf, inputShape } from './guess.ts'
import { importKeras } from './import.ts'
import { assign } from './weights.ts'

/**
 * @param ordered whether the layers are in the order in which the model runs them; a chain of all
 *   of them is then preferred.
 * @throws GruvError `not-found` when no layer, or more than one, is recurrent and none is chosen;
 *   that of a wiring, naming its step.
 */
export async function importBare(
  file: { readonly name: string; readonly source: string; readonly bytes: number },
  layers: readonly FoundLayer[],
  options: ReadOptions,
  ordered = false,
): Promise<Model> {
  const guesses = layers.map((layer) => ({ layer, guess: guessOf(layer.arrays) }))
  if (options.wiring !== undefined) {
    if (options.layer !== undefined) {
      throw new GruvError('bad-argument', 'a wiring names its layers itself', {
        where: '--layer',
        fix: 'Give a layer or a wiring, not both.',
      })
    }
    const { wiredConfig } = await import('./wired.ts')
    const { config, used } = wiredConfig(file.name, options.wiring, guesses)
    return guessedModel({ ...file, source: `${file.source}, wired` }, config, layers, used, options)
  }
  const chosen = options.layer === undefined ? null : choose(guesses, options.layer)
  const whole = ordered && chosen === null && isChain(guesses)
  const taken = chosen !== null ? [chosen] : whole ? guesses : [onlyRecurrent(guesses)]
  const config = {
    class_name: 'Sequential',
    config: {
      name: file.name,
      layers: taken.map(({ layer, guess }, i) => ({
        class_name: guess!.className,
        config: {
          name: layer.name,
          ...guess!.config,
          ...(i === 0 && { batch_input_shape: inputShape(guess!) }),
        },
      })),
    },
  }
  return guessedModel(file, config, layers, new Set(taken.map(({ layer }) => layer.name)), options)
}

/** A model whose configuration was put together here. */
function guessedModel(
  file: { readonly name: string; readonly source: string; readonly bytes: number },
  config: unknown,
  layers: readonly FoundLayer[],
  used: ReadonlySet<string>,
  { layer: _, wiring: __, ...options }: ReadOptions,
): Model {
  const left = layers.filter(({ name }) => !used.has(name))
  return importKeras(
    {
      ...file,
      config,
      version: null,
      guessed: true,
      weights: () => ({
        find: (layerPath, slots) => {
          const name = layerPath[0].layer.name.replace(/#\d+$/, '')
          return assign(layerPath, slots, layers.find((layer) => layer.name === name)!.arrays)
        },
        warnings: [
          'the file holds weights without a configuration: what the layers do is read off their shapes',
          ...(left.length === 0 ? [] : [`not used: ${left.map(({ name }) => name).join(', ')}`]),
        ],
      }),
    },
    options,
  )
}

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
      fix: 'Choose one: `--layer NAME`, or say how they follow each other: `--wiring FILE`.',
    },
  )
}

function list(found: readonly Found[]): string {
  return found
    .slice(0, 20)
    .map(({ layer, guess }) => {
      const shapes = layer.arrays.map(({ tensor }) => showShape(tensor.shape)).join(' ')
      return `${layer.name} (${titleOf(guess)}: ${shapes})`
    })
    .join(', ')
}

function titleOf(guess: Guess | null): string {
  if (guess === null) return 'unknown'
  return guess.className === 'Dense' ? '2-D array, perhaps Dense' : guess.className
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
