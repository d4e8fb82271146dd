/** Layers that only move numbers: Flatten, Reshape, Permute, RepeatVector, padding, cropping. */

import { product } from '../../../model/dims.ts'
import type { Dim } from '../../../model/types.ts'
import { entry, type LayerCall, type LayerEntry, unsupported } from '../layer.ts'

const flatten = entry((call) => {
  const { name, graph, x, settings } = call
  if (x.shape.length === 2) return [x]
  const turned =
    settings.get('data_format') === 'channels_first' && x.shape.length > 2
      ? graph.one(
          `${name}.in`,
          { kind: 'transpose', axes: [0, ...x.shape.slice(2).map((_, i) => i + 2), 1] },
          { x },
        )
      : x
  const size = product(turned.shape.slice(1))
  // A symbol made here is nobody's extent: what is left over says the same.
  const shape = [x.shape[0], typeof size === 'number' ? size : -1]
  return [graph.one(name, { kind: 'reshape', shape }, { x: turned })]
}, false)

const reshape = entry((call) => {
  const { settings, name, graph, x } = call
  const target = settings.get('target_shape')
  // `None` in a target shape is what is left over.
  const shape = (Array.isArray(target) ? target : [target]).map((each) => each ?? -1)
  if (!shape.every((each) => Number.isSafeInteger(each) && (each as number) >= -1 && each !== 0))
    throw settings.wrong('target_shape', 'whole numbers')
  return [graph.one(name, { kind: 'reshape', shape: [x.shape[0], ...(shape as number[])] }, { x })]
}, false)

const permute = entry((call) => {
  const { settings, name, graph, x } = call
  return [graph.one(name, { kind: 'transpose', axes: [0, ...settings.integers('dims')] }, { x })]
}, false)

const repeatVector = entry((call) => {
  const { settings, name, graph, x } = call
  const [rows, ...rest] = x.shape
  if (rest.length !== 1) throw unsupported(call, 'what is no vector', `${x.shape.length} axes`)
  const column = graph.one(`${name}.in`, { kind: 'reshape', shape: [rows, 1, rest[0]] }, { x })
  const shape: readonly Dim[] = [rows, settings.count('n'), rest[0]]
  return [graph.one(name, { kind: 'expand', shape }, { x: column })]
}, false)

/** [before, after], a number for both. */
function ends(call: LayerCall, key: string): readonly [number, number] {
  const value = call.settings.integers(key)
  const [before, after = before] = value
  if (value.length > 2 || value.some((each) => each < 0 || each >= 2 ** 31))
    throw call.settings.wrong(key, 'one or two whole numbers from 0')
  return [before, after]
}

const zeroPadding = entry((call) => {
  const { name, graph, x } = call
  const [before, after] = ends(call, 'padding')
  const pads = x.shape.map((_, i) => (i === 1 ? { before, after } : { before: 0, after: 0 }))
  return [graph.one(name, { kind: 'pad', mode: 'constant', value: 0, pads }, { x })]
}, false)

const cropping = entry((call) => {
  const { name, graph, x } = call
  const [before, after] = ends(call, 'cropping')
  const slices = [{ axis: 1, start: before, end: after === 0 ? null : -after, step: 1 }]
  return [graph.one(name, { kind: 'slice', slices }, { x })]
}, false)

export const shapeLayers: Readonly<Record<string, LayerEntry>> = {
  Flatten: flatten,
  Reshape: reshape,
  Permute: permute,
  RepeatVector: repeatVector,
  ZeroPadding1D: zeroPadding,
  Cropping1D: cropping,
}
