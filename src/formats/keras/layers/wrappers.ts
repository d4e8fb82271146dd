/** Builds TimeDistributed: a layer applied to every step. */

import { product } from '../../../model/shapes/dims.ts'
import type { Dim } from '../../../model/types.ts'
import type { GraphBuilder, Result, Value } from '../graph.ts'
import { entry, type LayerEntry } from '../layer.ts'
import { unmasked } from './core.ts'
import { passedOn } from './recurrent.ts'

/** Layers that work on the last axis alone, however many axes stand before it. */
const onTheLastAxis: readonly string[] = [
  'Dense',
  'Activation',
  'LeakyReLU',
  'ELU',
  'ReLU',
  'ThresholdedReLU',
  'Dropout',
  'GaussianNoise',
  'GaussianDropout',
  'AlphaDropout',
  'ActivityRegularization',
  'Identity',
  'Rescaling',
]

const timeDistributed = entry((call) => {
  const { layer, graph, name, x, settings } = call
  const inner = layer.inner
  if (inner === null) throw settings.wrong('layer', 'a layer')
  if (onTheLastAxis.includes(inner.className)) {
    const [y] = call.wrapped(inner, 'layer/', [{ ...x, mask: null }], name)
    return [{ ...y, mask: passedOn(call, x.mask) }]
  }
  // Steps become rows, and rows steps again.
  const [rows, steps] = x.shape
  const unfolded = (y: Result, at: string): Result =>
    graph.reshape(at, y, [rows, steps, ...y.shape.slice(1)])
  // A mask of [rows, steps] does not apply within a step; one of [rows, steps, …] does.
  const within = x.mask !== null && x.mask.shape.length > 2
  const mask = within ? unmasked(folded(graph, x.mask, `${name}.mask`)) : null
  const input = { ...folded(graph, x, `${name}.rows`), mask }
  return call.wrapped(inner, 'layer/', [input], name).map((y, i) => ({
    ...unfolded(y, `${name}.steps${i === 0 ? '' : i}`),
    // Up to Keras 2 the mask that the layer gives is passed on (`TimeDistributed.compute_mask`).
    mask:
      call.version.major < 3 && y.mask !== null
        ? unmasked(unfolded(y.mask, `${name}.masks${i === 0 ? '' : i}`))
        : within && call.version.major < 3
          ? anyWithin(graph, x.mask, name)
          : passedOn(call, x.mask),
  }))
}, true)

function folded(graph: GraphBuilder, x: Result, name: string): Result {
  const joined = product(x.shape.slice(0, 2))
  const shape: readonly Dim[] = [typeof joined === 'number' ? joined : -1, ...x.shape.slice(2)]
  return graph.reshape(name, x, shape)
}

/** A step counts if anything in it does. */
function anyWithin(graph: GraphBuilder, mask: Value, name: string): Value {
  const axes = mask.shape.slice(2).map((_, i) => i + 2)
  const reduce = { kind: 'reduce', op: 'max', axes, keepAxes: false } as const
  return unmasked(graph.one(`${name}.any`, reduce, { x: mask }))
}

export const wrapperLayers: Readonly<Record<string, LayerEntry>> = {
  TimeDistributed: timeDistributed,
}
