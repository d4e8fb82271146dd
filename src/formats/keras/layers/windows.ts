/** Convolutions and pooling. Channels first is turned to channels last and back. */

import { showShape, type Tensor } from '../../../tensor.ts'
import { kerasActivation } from '../activations.ts'
import { fixed, type Result } from '../graph.ts'
import { entry, type LayerCall, type LayerEntry, sizeMismatch, unsupported } from '../layer.ts'
import type { Settings } from '../settings.ts'

/** Runs a step on channels-last data, whatever the layer is given. */
export function channelsLast(
  call: LayerCall,
  step: (x: Result) => Result,
  keepsAxes = true,
): Result {
  const { settings, graph, name, x } = call
  const format = settings.text('data_format', 'channels_last')
  if (format !== 'channels_first' && settings.get('dim_ordering') !== 'th') return step(x)
  const rank = x.shape.length
  const spatial = Array.from({ length: rank - 2 }, (_, i) => i)
  const last = graph.one(
    `${name}.in`,
    { kind: 'transpose', axes: [0, ...spatial.map((i) => i + 2), 1] },
    { x },
  )
  const y = step(last)
  if (!keepsAxes) return y
  return graph.one(
    `${name}.out`,
    { kind: 'transpose', axes: [0, rank - 1, ...spatial.map((i) => i + 1)] },
    { x: y },
  )
}

export function paddingOf(call: LayerCall): 'same' | 'valid' | 'causal' {
  const padding = call.settings.get('padding', 'border_mode') ?? 'valid'
  if (padding === 'same' || padding === 'valid' || padding === 'causal') return padding
  throw unsupported(call, 'this padding', String(JSON.stringify(padding)).slice(0, 40))
}

const conv1d = entry((call) => {
  const { settings, name, graph, version } = call
  const { kernel: stored, bias = null } = call.weights()
  const kernel = stored.shape.length === 4 ? ofKeras1(stored, settings) : stored
  if (kernel.shape.length !== 3)
    throw sizeMismatch(`${name}: kernel`, '[size, features, units]', showShape(kernel.shape))
  const [size, within, units] = kernel.shape
  const [stride] = settings.counts(['strides', 'subsample_length', 'subsample'], 1, 1)
  const [dilation] = settings.counts(['dilation_rate', 'atrous_rate'], 1, 1)
  const groups = settings.count('groups', 1)
  const padding = paddingOf(call)
  const y = channelsLast(call, (x) =>
    graph.one(
      name,
      {
        kind: 'conv1d',
        features: within * groups,
        units,
        size,
        stride,
        dilation,
        groups,
        padding:
          padding === 'same'
            ? 'same'
            : { before: padding === 'causal' ? (size - 1) * dilation : 0, after: 0 },
        activation: kerasActivation(settings.get('activation'), version, name),
        weights: { kernel, bias },
      },
      { x },
    ),
  )
  return [y]
}, false)

/** Keras 1 kept [size, 1, features, units], and before 1.2 [units, features, size, 1]. */
function ofKeras1(stored: Tensor, settings: Settings): Tensor {
  const [first, second, third, fourth] = stored.shape
  const size = settings.count(['filter_length', 'kernel_size'], first)
  const units = settings.count(['nb_filter', 'filters'], fourth)
  if (first === size && second === 1 && fourth === units)
    return { ...stored, shape: [size, third, units] }
  if (first !== units || third !== size || fourth !== 1) return stored
  const data = stored.data.slice()
  for (let unit = 0; unit < units; unit++)
    for (let feature = 0; feature < second; feature++)
      for (let k = 0; k < size; k++)
        data[(k * second + feature) * units + unit] =
          stored.data[(unit * second + feature) * size + k]
  return { ...stored, shape: [size, second, units], data }
}

const conv2d = entry((call) => {
  const { settings, name, graph, version } = call
  const { kernel, bias = null } = call.weights()
  if (kernel.shape.length !== 4)
    throw sizeMismatch(
      `${name}: kernel`,
      '[height, width, features, units]',
      showShape(kernel.shape),
    )
  const strides = settings.counts(['strides', 'subsample'], 2, 1)
  const dilations = settings.counts(['dilation_rate'], 2, 1)
  const y = channelsLast(call, (x) =>
    graph.one(
      name,
      {
        kind: 'conv',
        strides,
        dilations,
        padding: windowPadding(call, 2),
        groups: settings.count('groups', 1),
        activation: kerasActivation(settings.get('activation'), version, name),
        weights: { kernel, bias },
      },
      { x },
    ),
  )
  return [y]
}, false)

export function windowPadding(
  call: LayerCall,
  axes: number,
): 'same' | readonly { readonly before: number; readonly after: number }[] {
  const padding = paddingOf(call)
  if (padding === 'causal') throw unsupported(call, 'causal padding')
  return padding === 'same' ? 'same' : Array.from({ length: axes }, () => ({ before: 0, after: 0 }))
}

const pooling = (op: 'max' | 'average', axes: number): LayerEntry =>
  entry((call) => {
    const { settings, name, graph } = call
    const sizes = settings.counts(['pool_size', 'pool_length'], axes, 2)
    const strides =
      settings.get('strides', 'stride') == null
        ? sizes
        : settings.counts(['strides', 'stride'], axes)
    const padding = windowPadding(call, axes)
    const y = channelsLast(call, (x) =>
      graph.one(name, { kind: 'pool', op, sizes, strides, padding, countsPadding: false }, { x }),
    )
    return [y]
  }, false)

const globalPooling = (op: 'max' | 'mean'): LayerEntry =>
  entry((call) => {
    const { settings, name, graph, version } = call
    const { mask } = call.x
    const keepAxes = settings.bool('keepdims', false)
    // Keras 1 had none of it; the mean counts steps that are not masked, the maximum does not care.
    const counted =
      op === 'mean' && call.x.shape.length === 3 && mask !== null && version.major >= 2
    const y = channelsLast(
      call,
      (x) => {
        const axes = x.shape.slice(1, -1).map((_, i) => i + 1)
        if (!counted) return graph.one(name, { kind: 'reduce', op, axes, keepAxes }, { x })
        const column = graph.one(
          `${name}.mask`,
          { kind: 'reshape', shape: [...mask.shape, 1] },
          { x: mask },
        )
        const kept = graph.one(
          `${name}.masked`,
          { kind: 'binary', op: 'multiply' },
          { a: x, b: column },
        )
        const reduce = { kind: 'reduce', op: 'sum', axes, keepAxes } as const
        const total = graph.one(`${name}.sum`, reduce, { x: kept })
        const steps = graph.one(`${name}.steps`, reduce, { x: column })
        return graph.one(name, { kind: 'binary', op: 'divide' }, { a: total, b: steps })
      },
      keepAxes,
    )
    return [{ ...y, mask: null }]
  }, true)

/** Nearest neighbour: each step `size` times. */
const upSampling = entry((call) => {
  const { settings, name, graph, x } = call
  const size = settings.count(['size', 'length'], 2)
  const [rows, , features] = x.shape
  const column = graph.one(
    `${name}.in`,
    { kind: 'reshape', shape: [rows, -1, 1, fixed(features, name, 'the number of features')] },
    { x },
  )
  const wide = graph.one(
    `${name}.wide`,
    { kind: 'expand', shape: column.shape.with(2, size) },
    { x: column },
  )
  return [graph.one(name, { kind: 'reshape', shape: [rows, -1, features] }, { x: wide })]
}, false)

export const windowLayers: Readonly<Record<string, LayerEntry>> = {
  Conv1D: conv1d,
  Conv2D: conv2d,
  MaxPooling1D: pooling('max', 1),
  AveragePooling1D: pooling('average', 1),
  MaxPooling2D: pooling('max', 2),
  AveragePooling2D: pooling('average', 2),
  GlobalMaxPooling1D: globalPooling('max'),
  GlobalAveragePooling1D: globalPooling('mean'),
  GlobalMaxPooling2D: globalPooling('max'),
  GlobalAveragePooling2D: globalPooling('mean'),
  UpSampling1D: upSampling,
}
