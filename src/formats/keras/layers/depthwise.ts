/** Builds depthwise, separable and transposed convolutions. */

import { activation } from '../../../model/activation/activations.ts'
import { showShape, type Tensor } from '../../../tensor.ts'
import { kerasActivation } from '../activations.ts'
import { entry, type LayerCall, type LayerEntry, sizeMismatch, unsupported } from '../layer.ts'
import { type Convolution, channelsLast, convolved, windowPadding } from './windows.ts'

/**
 * Each channel by itself: [...sizes, features, multiplier] holds what [...sizes, 1, units] does.
 */
function channelByChannel(
  call: LayerCall,
  stored: Tensor,
  axes: number,
): Pick<Convolution, 'kernel' | 'strides' | 'dilations' | 'groups'> {
  if (stored.shape.length !== axes + 2)
    throw sizeMismatch(call.name, '[…sizes, features, multiplier]', showShape(stored.shape))
  const [features, multiplier] = stored.shape.slice(-2)
  return {
    kernel: { ...stored, shape: [...stored.shape.slice(0, -2), 1, features * multiplier] },
    strides: call.settings.counts(['strides'], axes, 1),
    dilations: call.settings.counts(['dilation_rate'], axes, 1),
    groups: features,
  }
}

const depthwise = (axes: number): LayerEntry =>
  entry((call) => {
    const { settings, name, version } = call
    const { depthwise_kernel: stored, bias = null } = call.weights()
    const act = kerasActivation(settings.get('activation'), version, name)
    const conv = { ...channelByChannel(call, stored, axes), name, bias, activation: act }
    return [channelsLast(call, (x) => convolved(call, x, conv))]
  }, false)

/** Channel by channel, then a mixture of the channels at each place. */
const separable = (axes: number): LayerEntry =>
  entry((call) => {
    const { settings, name, version } = call
    const { depthwise_kernel: stored, pointwise_kernel: kernel, bias = null } = call.weights()
    if (kernel.shape.length !== axes + 2)
      throw sizeMismatch(name, '[1, features, units]', showShape(kernel.shape))
    const own = channelByChannel(call, stored, axes)
    const deep = { ...own, name: `${name}.depthwise`, bias: null, activation: activation('linear') }
    const ones = Array.from({ length: axes }, () => 1)
    const act = kerasActivation(settings.get('activation'), version, name)
    const at = { name, strides: ones, dilations: ones, groups: 1 }
    const mixed = { ...at, kernel, bias, activation: act }
    const y = channelsLast(call, (x) => convolved(call, convolved(call, x, deep), mixed, false))
    return [y]
  }, false)

/** `conv_transpose` with the output lengths of `deconv_output_length` (Keras 2 and 3). */
const transposed = (axes: number): LayerEntry =>
  entry((call) => {
    const { settings, name, graph, version } = call
    const { kernel, bias = null } = call.weights()
    if (kernel.shape.length !== axes + 2)
      throw sizeMismatch(`${name}: kernel`, '[…sizes, units, features]', showShape(kernel.shape))
    const strides = settings.counts(['strides'], axes, 1)
    const dilations = settings.counts(['dilation_rate'], axes, 1)
    if ((settings.get('output_padding') ?? null) !== null || dilations.some((each) => each > 1))
      throw unsupported(call, 'a transposed convolution with output_padding or dilation')
    const padding = windowPadding(call, axes)
    const outputPadding = strides.map((stride, i) =>
      padding === 'same' ? 0 : Math.max(stride - kernel.shape[i], 0),
    )
    const node = {
      kind: 'convTranspose',
      strides,
      dilations,
      padding,
      outputPadding,
      groups: 1,
      activation: kerasActivation(settings.get('activation'), version, name),
      weights: { kernel, bias },
    } as const
    return [channelsLast(call, (x) => graph.one(name, node, { x }))]
  }, false)

export const depthwiseLayers: Readonly<Record<string, LayerEntry>> = {
  DepthwiseConv1D: depthwise(1),
  DepthwiseConv2D: depthwise(2),
  SeparableConv1D: separable(1),
  SeparableConv2D: separable(2),
  Conv1DTranspose: transposed(1),
  Conv2DTranspose: transposed(2),
}
