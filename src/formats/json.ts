/**
 * Reads JSON objects of nested arrays by name: the weights of one bare layer, or a state dict of
 * PyTorch.
 */

import { readJson, tensorFromJson } from '../bytes/json/tensors.ts'
import { parseJson } from '../bytes/json/text.ts'
import type { Model } from '../model/types.ts'
import { bareLayer } from './bare-layer.ts'
import { object } from './decode.ts'
import { baseName, type ReadOptions, type SourceFile } from './format.ts'
import { byNames } from './given-names.ts'
import { stateDictModel } from './pytorch/index.ts'
import { stateArrays } from './pytorch/state-arrays.ts'

export async function readJsonLayer(file: SourceFile, options: ReadOptions): Promise<Model> {
  const tensors = readJson(new TextDecoder().decode(file.bytes))
  const find = options.names && byNames(options.names)
  return bareLayer(baseName(file.name), 'JSON object of arrays', tensors, options, find)
}

/** @throws GruvError as `stateDictModel`; `bad-shape` for values that are no arrays. */
export async function readJsonState(file: SourceFile, options: ReadOptions): Promise<Model> {
  if (options.names !== undefined) return readJsonLayer(file, options)
  const json = object(parseJson(new TextDecoder().decode(file.bytes)), 'the file')
  const arrays = Object.entries(json).map(([name, each]) => [name, tensorFromJson(each, name)])
  return stateDictModel(
    file,
    stateArrays('JSON object of arrays', Object.fromEntries(arrays)),
    options,
  )
}
