/** Quirks, which are hypotheses in use: parsed, printed, and applied to a model. */

import { GruvError, isGruvError } from '../errors.ts'
import { activation, showActivation } from '../model/activation/activations.ts'
import { isRecurrent } from '../model/layers.ts'
import type { Model } from '../model/types.ts'
import { openExtents } from '../verify/open-extents.ts'
import { onLayers } from './graph-change.ts'
import { entryOf, type HypothesisName, hypothesisNames, hypothesisTable } from './hypotheses.ts'
import type { RunChange } from './runs.ts'

/** One hypothesis with its value, on one recurrent layer or on all: `--quirk NAME=VALUE@LAYER`. */
export interface Quirk {
  readonly name: HypothesisName
  /** Null where the hypothesis takes no value. */
  readonly value: string | null
  /** Null for all layers. */
  readonly layer: string | null
}

/**
 * `lost-column`, `reset=before`, `scaled-weights=0.5@gru_1`.
 * @throws GruvError `bad-argument`, listing what there is.
 */
export function parseQuirk(text: string): Quirk {
  const [, name, value = null, layer = null] = /^([^=@]*)(?:=(.*?))?(?:@(.*))?$/s.exec(text)!
  if (!Object.hasOwn(hypothesisTable, name)) {
    throw new GruvError('bad-argument', `no quirk is called '${name}'`, {
      expected: `one of ${hypothesisNames.join(', ')}`,
    })
  }
  const quirk = { name: name as HypothesisName, value, layer }
  const { values, convention, node, takes } = entryOf(quirk.name)
  const valued = values.length > 0 || takes !== undefined
  if (valued !== (value !== null) || (layer !== null && node === undefined)) {
    throw new GruvError('bad-argument', `'${text}' is not how this quirk is written`, {
      expected: `${name}${valued ? '=VALUE' : ''}${node === undefined ? '' : ', or the same with @LAYER'}`,
    })
  }
  if (value === null) return quirk
  if (convention === 'activation' || convention === 'recurrentActivation') {
    return { ...quirk, value: showActivation(activation(value)) }
  }
  const fits = takes === undefined ? values.includes(value) : isNumber[takes](value)
  if (fits) return quirk
  throw new GruvError('bad-argument', `${name} cannot be '${value}'`, {
    expected: takes === undefined ? `one of ${values.join(', ')}` : expectedNumber[takes],
  })
}

const isNumber = { factor: isFactor, count: (text: string) => /^[1-9]\d*$/.test(text) } as const
const expectedNumber = { factor: 'a number other than 0', count: 'a count of steps' } as const

function isFactor(text: string): boolean {
  const factor = Number(text)
  return text.trim() !== '' && Number.isFinite(factor) && factor !== 0
}

export function showQuirk({ name, value, layer }: Quirk): string {
  return `${name}${value === null ? '' : `=${value}`}${layer === null ? '' : `@${layer}`}`
}

/**
 * The model with a quirk; null where it has no effect. Quirks of a run leave the model as it is.
 */
export function applyQuirk(model: Model, { name, value, layer }: Quirk): Model | null {
  const { node, graph, dense } = entryOf(name)
  if (node !== undefined) return onLayers(model, node, value ?? '', layer, dense)
  if (graph === undefined) return model
  try {
    return graph(model)
  } catch (error) {
    // A graph that needs other shapes cannot have the mistake.
    if (isGruvError(error)) return null
    throw error
  }
}

/**
 * The model with these quirks, in the order given. Those of a run leave it as it is:
 * `withRunQuirks` wraps the program.
 * @throws GruvError `bad-argument` for a quirk that has no effect on this model.
 */
export function applyQuirks(model: Model, quirks: readonly (Quirk | string)[]): Model {
  // Rows and steps of a run that a quirk changes are others than the file may have fixed.
  let changed = quirks.some((quirk) => changesRun(quirk)) ? openExtents(model) : model
  for (const each of quirks) {
    const quirk = typeof each === 'string' ? parseQuirk(each) : each
    const next = applyQuirk(changed, quirk)
    if (next === null) {
      const layers = model.nodes.filter(isRecurrent).map(({ name }) => name)
      throw new GruvError('bad-argument', 'this model cannot have that quirk', {
        where: `quirk ${showQuirk(quirk)}`,
        ...(quirk.layer !== null &&
          !layers.includes(quirk.layer) && { expected: `one of the layers ${layers.join(', ')}` }),
      })
    }
    changed = next
  }
  return changed
}

/** The changes of a run that quirks make, in order. */
export function runChanges(quirks: readonly Quirk[]): readonly RunChange[] {
  return quirks.flatMap(({ name, value }) => entryOf(name).run?.(value ?? '') ?? [])
}

/** Whether a quirk changes a run, by `withRunQuirks`, and not the model. */
export function changesRun(quirk: Quirk | string): boolean {
  const { name } = typeof quirk === 'string' ? parseQuirk(quirk) : quirk
  return entryOf(name).run !== undefined
}
