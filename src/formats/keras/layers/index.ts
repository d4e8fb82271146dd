/**
 * The table of Keras's layers. To add one: a builder, a line in its file's table, its arrays in
 * `../weights.ts`.
 */

import type { LayerEntry } from '../layer.ts'
import { attentionLayers } from './attention.ts'
import { coreLayers } from './core.ts'
import { depthwiseLayers } from './depthwise.ts'
import { mergingLayers } from './merging.ts'
import { normalizationLayers } from './normalization.ts'
import { recurrentLayers } from './recurrent.ts'
import { shapeLayers } from './shapes.ts'
import { windowLayers } from './windows.ts'
import { wrapperLayers } from './wrappers.ts'

const layers: Readonly<Record<string, LayerEntry>> = {
  ...coreLayers,
  ...normalizationLayers,
  ...recurrentLayers,
  ...windowLayers,
  ...depthwiseLayers,
  ...shapeLayers,
  ...mergingLayers,
  ...attentionLayers,
  ...wrapperLayers,
}

/** @returns null for a class that this version does not know, or that no version can. */
export function layerEntry(className: string): LayerEntry | null {
  return Object.hasOwn(layers, className) ? layers[className] : null
}

/** Why a class is not in the table, where there is more to say than that. */
export function reasonAgainst(className: string): string {
  if (className === 'Lambda') return 'a Lambda layer holds Python code, which is never run'
  if (/OpLambda$|^TensorFlowOpLayer$|^SlicingOpLambda$/.test(className))
    return 'an operation of TensorFlow, written as code'
  return 'not among the layers that gruv knows'
}
