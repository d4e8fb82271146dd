/**
 * The table of Keras's layers. To add one: a builder, a line in its file's table, its arrays in
 * `../weights.ts`.
 */

import type { LayerConfig } from '../config.ts'
import type { LayerEntry } from '../layer.ts'
import { attentionLayers } from './attention.ts'
import { coreLayers } from './core.ts'
import { depthwiseLayers } from './depthwise.ts'
import { mergingLayers } from './merging.ts'
import { normalizationLayers } from './normalization.ts'
import { kerasOperations } from './operations.ts'
import { recurrentLayers } from './recurrent.ts'
import { shapeLayers } from './shapes.ts'
import { tensorflowOperations } from './tensorflow.ts'
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

const operations: Readonly<Record<string, LayerEntry>> = {
  ...kerasOperations,
  ...tensorflowOperations,
}

/** @returns null for a class that this version does not know, or that no version can. */
export function layerEntry(layer: LayerConfig): LayerEntry | null {
  const { className } = layer
  if (isOperation(layer)) return operations[className]
  if (layer.operation === true) return null
  return Object.hasOwn(layers, className) ? layers[className] : null
}

/** Where the file does not say, layers that share their names with operations tell by their form. */
function isOperation({ className, operation, settings, calls }: LayerConfig): boolean {
  if (operation === false || !Object.hasOwn(operations, className)) return false
  if (operation === true || operation === 'likely') return true
  if (calls.some(({ kwargs }) => 'mask' in kwargs || 'training' in kwargs)) return false
  const listed = calls.every(({ args }) => args.length === 1 && 'list' in args[0])
  if (Object.hasOwn(mergingLayers, className)) return !listed
  return !settings.has('target_shape')
}

/** Why there is no entry for a layer. */
export function reasonAgainst({ className, operation }: LayerConfig): string {
  if (className === 'Lambda') return 'a Lambda layer holds Python code, which is never run'
  if (operation === true) return 'an operation of keras.ops that gruv does not know'
  return 'not among the layers that gruv knows'
}
