/** Builds Dense, Embedding, activations, masking, and layers that do nothing outside training. */

import {
  type Activation,
  activation,
  showActivation,
} from '../../../model/activation/activations.ts'
import { implied } from '../../../model/conventions/grounds.ts'
import { denseNode } from '../../../model/dense.ts'
import { showShape, type Tensor } from '../../../tensor.ts'
import {
  activationLayer,
  isLogSoftmax,
  kerasActivation,
  reluOf,
  reluParameters,
} from '../activations.ts'
import { axisOf, fixed, type GraphBuilder, type Result, type Value } from '../graph.ts'
import { entry, type LayerCall, type LayerEntry, sizeMismatch, unsupported } from '../layer.ts'
import { isSince } from '../settings.ts'

const trainingOnly = entry(({ x }) => [x], true)
const identity = entry(({ x }) => [{ value: x.value, shape: x.shape }], 'since 3')

const dense = entry((call) => {
  const { settings, version, name, graph, x } = call
  const logs = isLogSoftmax(settings.get('activation'))
  const act = logs
    ? activation('linear')
    : kerasActivation(settings.get('activation'), version, name)
  const why = settings.has('activation') ? 'the file says activation' : 'Keras’s default'
  const node = call.once('dense', () => {
    const { kernel, bias } = call.weights()
    return denseNode(
      name,
      { kernel, bias },
      { value: act, origin: settings.has('activation') ? 'stated' : 'implied', why },
      implied('no', 'Keras does so'),
    )
  })
  const y = graph.one(name, node, { x })
  return [logs ? logSoftmax(call, y) : y]
}, true)

function logSoftmax({ graph, name }: LayerCall, x: Result): Result {
  return graph.one(`${name}.log`, { kind: 'softmax', axis: x.shape.length - 1, log: true }, { x })
}

const embedding = entry((call) => {
  const { settings, name, graph, x } = call
  const { embeddings } = call.weights()
  if (embeddings.shape.length !== 2)
    throw sizeMismatch(`${name}: embeddings`, '[count, units]', showShape(embeddings.shape))
  const { y, mask } = graph.add(
    name,
    { kind: 'embedding', units: embeddings.shape[1], weights: { table: embeddings } },
    { x },
  )
  return [{ ...y, mask: settings.bool('mask_zero', false) ? unmasked(mask) : null }]
}, false)

const masking = entry((call) => {
  const { settings, name, graph, x } = call
  const { y, mask } = graph.add(
    name,
    { kind: 'masking', value: settings.number('mask_value', 0) },
    { x },
  )
  return [{ ...y, mask: unmasked(mask) }]
}, true)

export function unmasked(result: Result): Value {
  return { ...result, mask: null }
}

/** ReLU, of several nodes where no activation has all its parameters. */
const relu = entry((call) => {
  const { graph, name, settings, x } = call
  const parameters = reluParameters(settings)
  if (reluOf(parameters) !== null) return activate.build(call)
  const { max, slope, threshold } = parameters
  const act = (at: string, of: Result, kind: Activation): Result =>
    graph.one(at, { kind: 'activation', activation: kind }, { x: of })
  const affine = (at: string, of: Result, scale: number, shift: number): Result =>
    graph.one(
      at,
      { kind: 'affine', weights: { scale: vector([scale]), shift: vector([shift]) } },
      { x: of },
    )
  const passed =
    threshold === 0
      ? act(`${name}.above`, x, activation('relu'))
      : act(`${name}.above`, x, activation('thresholded_relu', { alpha: threshold }))
  const above =
    max === null ? passed : act(`${name}.limited`, passed, activation('clipped_relu', { max }))
  if (slope === 0) return [above]
  const short = act(`${name}.below`, affine(`${name}.short`, x, -1, threshold), activation('relu'))
  const below = affine(`${name}.leak`, short, slope, 0)
  return [graph.one(name, { kind: 'merge', mode: 'subtract' }, { 0: above, 1: below })]
}, true)

/** Activation, LeakyReLU, ELU, ThresholdedReLU. */
const activate = entry((call) => {
  const { layer, settings, version, name, graph, x } = call
  if (layer.className === 'Activation' && isLogSoftmax(settings.get('activation')))
    return [logSoftmax(call, x)]
  const act = activationLayer(layer.className, settings, version)!
  return [
    graph.one(
      name,
      {
        kind: 'activation',
        activation: act,
        conventions: [
          {
            key: 'activation',
            value: showActivation(act),
            origin: 'stated',
            why: `the layer is ${layer.className}`,
          },
        ],
      },
      { x },
    ),
  ]
}, true)

const softmax = entry((call) => {
  const { settings, name, graph, x, version } = call
  const rank = x.shape.length
  const axes = settings.has('axis') ? settings.integers('axis') : [-1]
  if (axes.length !== 1) throw unsupported(call, 'a softmax over several axes')
  const axis = axisOf(axes[0], rank, name)
  const { mask } = x
  const logits = mask === null || !isSince(version, [2, 4]) ? x : withoutMasked(call, mask)
  return [
    axis === rank - 1
      ? graph.one(name, { kind: 'activation', activation: activation('softmax') }, { x: logits })
      : graph.one(name, { kind: 'softmax', axis, log: false }, { x: logits }),
  ]
}, true)

/** The numbers that count, and −1e9 for the others (`Softmax.call` since Keras 2.4). */
function withoutMasked(call: LayerCall, mask: Value): Result {
  const { name, graph, x } = call
  if (mask.shape.length !== x.shape.length)
    throw unsupported(call, 'a mask of steps for a softmax of other axes')
  const b = constant(graph, `${name}.masked`, scalar(-1e9))
  return graph.one(`${name}.logits`, { kind: 'where' }, { condition: mask, a: x, b })
}

const prelu = entry((call) => {
  const { name, graph, x } = call
  const { alpha } = call.weights()
  const features = fixed(x.shape.at(-1), name, 'the number of features')
  // One slope for each feature, or (where axes are not shared) one for each place as well.
  if (alpha.shape.slice(0, -1).some((extent) => extent !== 1)) return [slopesByPlace(call, alpha)]
  if (alpha.data.length !== features && alpha.data.length !== 1)
    throw sizeMismatch(`${name}: alpha`, `[${features}]`, showShape(alpha.shape))
  return [
    graph.one(
      name,
      { kind: 'prelu', weights: { alpha: { ...alpha, shape: [alpha.data.length] } } },
      { x },
    ),
  ]
}, true)

/** alpha [...extents of a row, 1 where shared], broadcast over the rows. */
function slopesByPlace({ name, graph, x }: LayerCall, alpha: Tensor): Result {
  const slopes = constant(graph, `${name}.alpha`, alpha)
  const below = graph.binary(`${name}.below`, 'multiply', x, slopes)
  const zero = constant(graph, `${name}.zero`, scalar(0))
  const condition = graph.binary(`${name}.sign`, 'less', x, zero)
  return graph.one(name, { kind: 'where' }, { condition, a: below, b: x })
}

export function constant(graph: GraphBuilder, name: string, value: Tensor): Result {
  return graph.one(name, { kind: 'constant', weights: { value } }, {})
}

/** One number, as a tensor without axes. */
export function scalar(value: number): Tensor {
  return { shape: [], data: Float64Array.of(value) }
}

export function vector(numbers: ArrayLike<number>): Tensor {
  return { shape: [numbers.length], data: Float64Array.from(numbers) }
}

export const coreLayers: Readonly<Record<string, LayerEntry>> = {
  Dense: dense,
  Embedding: embedding,
  Masking: masking,
  Activation: activate,
  LeakyReLU: activate,
  ELU: activate,
  ReLU: relu,
  ThresholdedReLU: activate,
  Softmax: softmax,
  PReLU: prelu,
  Dropout: trainingOnly,
  GaussianNoise: trainingOnly,
  GaussianDropout: trainingOnly,
  AlphaDropout: trainingOnly,
  SpatialDropout1D: trainingOnly,
  SpatialDropout2D: trainingOnly,
  ActivityRegularization: trainingOnly,
  Identity: identity,
}
