/**
 * Builds convolutions and pooling. Channels-first data is transposed to channels last, and back.
 */

import type { Activation } from '../../../model/activation/activations.ts'
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
  const last = graph.transpose(`${name}.in`, x, [0, ...spatial.map((i) => i + 2), 1])
  const y = step(last)
  if (!keepsAxes) return y
  return graph.transpose(`${name}.out`, y, [0, rank - 1, ...spatial.map((i) => i + 1)])
}

function paddingOf(call: LayerCall): 'same' | 'valid' | 'causal' {
  const padding = call.settings.get('padding', 'border_mode') ?? 'valid'
  if (padding === 'same' || padding === 'valid' || padding === 'causal') return padding
  throw unsupported(call, 'this padding', String(JSON.stringify(padding)).slice(0, 40))
}

export interface Convolution {
  readonly name: string
  /** [...sizes, features / groups, units] */
  readonly kernel: Tensor
  readonly bias: Tensor | null
  readonly strides: readonly number[]
  readonly dilations: readonly number[]
  readonly groups: number
  readonly activation: Activation
}

/**
 * Over steps: a layer that streams where it is causal. Over two axes: one on whole tensors.
 * @param padded whether the layer's padding applies; otherwise there is none.
 */
export function convolved(call: LayerCall, x: Result, conv: Convolution, padded = true): Result {
  const { name, kernel, bias, strides, dilations, groups, activation } = conv
  const weights = { kernel, bias }
  if (kernel.shape.length === 4) {
    const padding = padded ? windowPadding(call, 2) : [none, none]
    const node = { kind: 'conv', strides, dilations, padding, groups, activation, weights } as const
    return call.graph.one(name, node, { x })
  }
  const [size, perGroup, units] = kernel.shape
  const padding = padded ? paddingOf(call) : 'valid'
  const before = padding === 'causal' ? (size - 1) * dilations[0] : 0
  return call.graph.one(
    name,
    {
      kind: 'conv1d',
      features: perGroup * groups,
      units,
      size,
      stride: strides[0],
      dilation: dilations[0],
      groups,
      padding: padding === 'same' ? 'same' : { before, after: 0 },
      activation,
      weights,
    },
    { x },
  )
}

const none = { before: 0, after: 0 } as const

/** @param layout of the kernel, for messages. */
const convolution = (axes: 1 | 2, layout: string): LayerEntry =>
  entry((call) => {
    const { settings, name, version } = call
    const { kernel: stored, bias = null } = call.weights()
    const kernel = axes === 1 && stored.shape.length === 4 ? ofKeras1(stored, settings) : stored
    if (kernel.shape.length !== axes + 2)
      throw sizeMismatch(`${name}: kernel`, layout, showShape(kernel.shape))
    const conv: Convolution = {
      name,
      kernel,
      bias,
      strides: settings.counts(['strides', 'subsample_length', 'subsample'], axes, 1),
      dilations: settings.counts(['dilation_rate', 'atrous_rate'], axes, 1),
      groups: settings.count('groups', 1),
      activation: kerasActivation(settings.get('activation'), version, name),
    }
    return [channelsLast(call, (x) => convolved(call, x, conv))]
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

export function windowPadding(
  call: LayerCall,
  axes: number,
): 'same' | readonly { readonly before: number; readonly after: number }[] {
  const padding = paddingOf(call)
  if (padding === 'causal') throw unsupported(call, 'causal padding')
  return padding === 'same' ? 'same' : new Array<typeof none>(axes).fill(none)
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
    // Keras 1 ignored masks; later the mean counts unmasked steps only, and the maximum still
    // ignores masks.
    const counted =
      op === 'mean' && call.x.shape.length === 3 && mask !== null && version.major >= 2
    const y = channelsLast(
      call,
      (x) => {
        const axes = x.shape.slice(1, -1).map((_, i) => i + 1)
        if (!counted) return graph.one(name, { kind: 'reduce', op, axes, keepAxes }, { x })
        const column = graph.reshape(`${name}.mask`, mask, [...mask.shape, 1])
        const kept = graph.binary(`${name}.masked`, 'multiply', x, column)
        const reduce = { kind: 'reduce', op: 'sum', axes, keepAxes } as const
        const total = graph.one(`${name}.sum`, reduce, { x: kept })
        const steps = graph.one(`${name}.steps`, reduce, { x: column })
        return graph.binary(name, 'divide', total, steps)
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
  const width = fixed(features, name, 'the number of features')
  const column = graph.reshape(`${name}.in`, x, [rows, -1, 1, width])
  const wide = graph.one(
    `${name}.wide`,
    { kind: 'expand', shape: column.shape.with(2, size) },
    { x: column },
  )
  return [graph.reshape(name, wide, [rows, -1, features])]
}, false)

export const windowLayers: Readonly<Record<string, LayerEntry>> = {
  Conv1D: convolution(1, '[size, features, units]'),
  Conv2D: convolution(2, '[height, width, features, units]'),
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
