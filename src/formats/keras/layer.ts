/** The types of a layer's builder: its call, its arguments, its results. */

import { GruvError } from '../../errors.ts'
import type { ConventionOptions } from '../../model/conventions/conventions.ts'
import type { Named, Tensor } from '../../tensor.ts'
import type { LayerConfig } from './config.ts'
import type { GraphBuilder, Result, Value } from './graph.ts'
import type { KerasVersion, Settings } from './settings.ts'

/** An evaluated argument: a value of the graph, a list, or a constant. */
export type Given = Value | readonly Given[] | { readonly constant: unknown }

export interface LayerCall {
  readonly layer: LayerConfig
  readonly settings: Settings
  /** The name of its nodes. */
  readonly name: string
  /** The tensors it is called with, in order; `x` is the first. */
  readonly x: Value
  readonly inputs: readonly Value[]
  /** The same with lists and constants, as the call has them. */
  readonly args: readonly Given[]
  readonly kwargs: Named<Given>
  readonly graph: GraphBuilder
  readonly version: KerasVersion
  readonly conventions: ConventionOptions
  /**
   * Its arrays by name, under the attributes that lead to them: `cell/kernel`. Read once, shared by
   * all calls.
   */
  readonly weights: () => Named<Tensor>
  /** Makes something expensive once for all calls of the layer. */
  readonly once: <T>(key: string, make: () => T) => T
  /**
   * Calls another layer as part of this one: the wrapped layer, whose arrays lie under `path`.
   */
  readonly wrapped: (
    inner: LayerConfig,
    path: string,
    inputs: readonly Value[],
    name: string,
  ) => readonly Value[]
}

/**
 * One result for each tensor that the layer gives. A mask left out is passed on as the class does.
 */
export type Builder = (call: LayerCall) => readonly Result[]

export interface LayerEntry {
  readonly build: Builder
  /**
   * Whether the layer passes the mask of its input on (`supports_masking`); some do since Keras 3.
   */
  readonly masks: boolean | 'since 3'
}

export function entry(build: Builder, masks: LayerEntry['masks']): LayerEntry {
  return { build, masks }
}

export function isValue(given: Given | undefined): given is Value {
  return given !== undefined && !Array.isArray(given) && 'value' in given
}

/** All values in an argument, in order. */
export function valuesIn(given: Given | undefined): readonly Value[] {
  if (given === undefined) return []
  if (isValue(given)) return [given]
  return Array.isArray(given) ? given.flatMap(valuesIn) : []
}

export function constantIn(given: Given | undefined): unknown {
  return given !== undefined && !Array.isArray(given) && 'constant' in given
    ? given.constant
    : undefined
}

export function unsupported(call: LayerCall, problem: string, got?: string): GruvError {
  return new GruvError('unsupported', problem, {
    where: `${call.name} (${call.layer.className})`,
    ...(got !== undefined && { got }),
  })
}

export function sizeMismatch(where: string, expected: string, got: string): GruvError {
  return new GruvError('bad-shape', 'an array of this layer has the wrong shape', {
    where,
    expected,
    got,
  })
}

/** The arrays whose names begin with a path, without it. */
export function under(arrays: Named<Tensor>, path: string): Named<Tensor> {
  return Object.fromEntries(
    Object.entries(arrays)
      .filter(([name]) => name.startsWith(path))
      .map(([name, tensor]) => [name.slice(path.length), tensor]),
  )
}
