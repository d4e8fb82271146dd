/** TimeDistributed: a layer on every step. */

import { product } from '../../../model/dims.ts'
import { entry, type LayerEntry } from '../layer.ts'

/** Layers that look at the last axis alone, and so need not know of the others. */
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
    return [{ ...y, mask: x.mask }]
  }
  // Steps become rows, and rows steps again.
  const [rows, steps, ...rest] = x.shape
  const joined = product([rows, steps])
  const folded = graph.one(
    `${name}.rows`,
    { kind: 'reshape', shape: [typeof joined === 'number' ? joined : -1, ...rest] },
    { x },
  )
  return call.wrapped(inner, 'layer/', [{ ...folded, mask: null }], name).map((y, i) => ({
    ...graph.one(
      `${name}.steps${i === 0 ? '' : i}`,
      { kind: 'reshape', shape: [rows, steps, ...y.shape.slice(1)] },
      { x: y },
    ),
    mask: x.mask,
  }))
}, true)

export const wrapperLayers: Readonly<Record<string, LayerEntry>> = {
  TimeDistributed: timeDistributed,
}
