/**
 * Builds layers that only move numbers: Flatten, Reshape, Permute, RepeatVector, padding, cropping.
 */

import { isCount } from '../../../bytes/checks.ts'
import { product } from '../../../model/shapes/dims.ts'
import type { Dim } from '../../../model/types.ts'
import { entry, type LayerCall, type LayerEntry, unsupported } from '../layer.ts'
import { channelsLast } from './windows.ts'

const flatten = entry((call) => {
  const { name, graph, x, settings } = call
  if (x.shape.length === 2) return [x]
  const turned =
    settings.get('data_format') === 'channels_first' && x.shape.length > 2
      ? graph.transpose(`${name}.in`, x, [0, ...x.shape.slice(2).map((_, i) => i + 2), 1])
      : x
  const size = product(turned.shape.slice(1))
  // A symbol made here would be the extent of no input; −1, what is left over, says the same.
  const shape = [x.shape[0], typeof size === 'number' ? size : -1]
  return [graph.reshape(name, turned, shape)]
}, false)

const reshape = entry((call) => {
  const { settings, name, graph, x } = call
  const target = settings.get('target_shape')
  // `None` in a target shape is what is left over.
  const shape = (Array.isArray(target) ? target : [target]).map((each) => each ?? -1)
  if (!shape.every((each) => Number.isSafeInteger(each) && (each as number) >= -1 && each !== 0))
    throw settings.wrong('target_shape', 'whole numbers')
  return [graph.reshape(name, x, [x.shape[0], ...(shape as number[])])]
}, false)

const permute = entry((call) => {
  const { settings, name, graph, x } = call
  return [graph.transpose(name, x, [0, ...settings.integers('dims')])]
}, false)

const repeatVector = entry((call) => {
  const { settings, name, graph, x } = call
  const [rows, ...rest] = x.shape
  if (rest.length !== 1) throw unsupported(call, 'what is no vector', `${x.shape.length} axes`)
  const column = graph.reshape(`${name}.in`, x, [rows, 1, rest[0]])
  const shape: readonly Dim[] = [rows, settings.count('n'), rest[0]]
  return [graph.one(name, { kind: 'expand', shape }, { x: column })]
}, false)

/**
 * [before, after] for each spatial axis. Over one axis a number is for both ends; over two it is
 * for all four, and each axis has one for both of its ends or two.
 */
function ends(call: LayerCall, key: string, axes: number): readonly (readonly number[])[] {
  const value = call.settings.get(key)
  const each = axes === 1 ? [value] : Array.isArray(value) ? value : [value, value]
  const pairs = each.map((one: unknown) => {
    const list: readonly unknown[] = Array.isArray(one) ? one : [one]
    return list.length === 1 ? [list[0], list[0]] : list
  })
  const fits = (one: unknown): one is number => isCount(one) && one < 2 ** 31
  if (pairs.length === axes && pairs.every((pair) => pair.length === 2 && pair.every(fits)))
    return pairs as readonly (readonly number[])[]
  throw call.settings.wrong(key, 'whole numbers from 0')
}

const zeroPadding = (axes: number): LayerEntry =>
  entry((call) => {
    const { name, graph } = call
    const around = ends(call, 'padding', axes)
    return [
      channelsLast(call, (x) => {
        const pads = x.shape.map((_, i) => {
          const [before, after] = around[i - 1] ?? [0, 0]
          return { before, after }
        })
        return graph.one(name, { kind: 'pad', mode: 'constant', value: 0, pads }, { x })
      }),
    ]
  }, false)

const cropping = (axes: number): LayerEntry =>
  entry((call) => {
    const { name, graph } = call
    const slices = ends(call, 'cropping', axes).map(([before, after], i) => ({
      axis: i + 1,
      start: before,
      end: after === 0 ? null : -after,
      step: 1,
    }))
    return [channelsLast(call, (x) => graph.one(name, { kind: 'slice', slices }, { x }))]
  }, false)

export const shapeLayers: Readonly<Record<string, LayerEntry>> = {
  Flatten: flatten,
  Reshape: reshape,
  Permute: permute,
  RepeatVector: repeatVector,
  ZeroPadding1D: zeroPadding(1),
  ZeroPadding2D: zeroPadding(2),
  Cropping1D: cropping(1),
  Cropping2D: cropping(2),
}
