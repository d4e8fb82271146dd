/**
 * Finds everything in a model that cannot be read, before reading, so that one message names it
 * all.
 */

import { isGruvError } from '../../errors.ts'
import { isLogSoftmax, kerasActivation } from './activations.ts'
import type { LayerConfig, NetConfig } from './config.ts'
import { cellClasses } from './layers/cells.ts'
import { layerEntry, reasonAgainst } from './layers/index.ts'
import { unknownFunction } from './layers/tensorflow.ts'
import type { KerasVersion } from './settings.ts'

export interface Refusal {
  readonly layer: string
  readonly why: string
}

/** `mixed_float16`: the name of a layer's policy of dtypes, in its spellings since Keras 2.1. */
export function dtypePolicy({ settings }: LayerConfig): string | null {
  const dtype = settings.get('dtype')
  if (typeof dtype === 'string') return dtype
  const { config } = (dtype ?? {}) as { config?: { name?: unknown } | null }
  return typeof config?.name === 'string' ? config.name : null
}

/** Those of these layers that no builder can read, in models and wrappers too. */
export function refusals(
  layers: readonly LayerConfig[],
  version: KerasVersion,
): readonly Refusal[] {
  const found = new Map<string, Refusal>()
  for (const layer of layers) {
    const why = layer.className === 'InputLayer' ? null : against(layer, version)
    if (why !== null) found.set(layer.name, { layer: layer.name, why })
  }
  return [...found.values()]
}

function against(layer: LayerConfig, version: KerasVersion): string | null {
  const { className } = layer
  if (layer.model !== null) return inside(layer.model, version)
  if (layer.custom !== null) return `${layer.custom}, whose code is not in the file`
  const policy = dtypePolicy(layer)
  if (policy?.includes('_from_'))
    return `${className} quantised as ${policy}: its inputs too are rounded when it runs`
  const unknown = unknownFunction(layer)
  if (unknown !== null) return unknown
  if (layerEntry(layer) === null && !cellClasses.includes(className))
    return `${className}: ${reasonAgainst(layer)}`
  for (const part of [layer.inner, layer.backward, ...layer.cells]) {
    const why = part === null ? null : against(part, version)
    if (why !== null) return `${className} of ${why}`
  }
  return unknownActivation(layer, version)
}

function inside(model: NetConfig, version: KerasVersion): string | null {
  const refused = refusals(model.layers, version)
  if (refused.length === 0) return null
  return refused.map(({ layer, why }) => `in it ${layer}: ${why}`).join(', ')
}

function unknownActivation(
  { className, settings, name }: LayerConfig,
  version: KerasVersion,
): string | null {
  for (const key of ['activation', 'recurrent_activation', 'inner_activation']) {
    const value = settings.get(key)
    if (value === undefined || isLogSoftmax(value)) continue
    try {
      kerasActivation(value, version, name)
    } catch (error) {
      if (isGruvError(error) && error.code === 'unsupported')
        return `${className}: ${error.problem}`
    }
  }
  return null
}
