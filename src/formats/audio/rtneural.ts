/**
 * Reads RTNeural models (.json): a chain of layers with Keras's weights, for audio plug-ins.
 *
 * The keys are those of RTNeural's `model_loader.h` and its exporter `python/model_utils.py`;
 * `in_skip`, `in_gain` and `out_gain` are additions of AIDA-X.
 */

import { tensorFromJson } from '../../bytes/json/tensors.ts'
import { parseJson } from '../../bytes/json/text.ts'
import { GruvError, locate } from '../../errors.ts'
import { type Activation, activation } from '../../model/activation/activations.ts'
import { type Ground, implied, stated } from '../../model/conventions/grounds.ts'
import { denseNode } from '../../model/dense.ts'
import { createModel } from '../../model/graph.ts'
import { gruNode } from '../../model/recurrent/gru.ts'
import { lstmNode } from '../../model/recurrent/lstm.ts'
import type { LayerNode, Model, Unwired } from '../../model/types.ts'
import { showShape, sizeOf, type Tensor } from '../../tensor.ts'
import { array, type JsonObject, object, text } from '../decode.ts'
import { baseName, type ReadOptions, refuseConventions, type SourceFile } from '../format.ts'
import { addResidual } from './residual.ts'

/** A layer as the file has it. */
interface Layer {
  readonly where: string
  readonly json: JsonObject
  readonly type: string
  /** How many features arrive, and how many leave. */
  readonly features: number
  readonly units: number
  readonly weights: readonly Tensor[]
}

interface BuiltNode {
  readonly node: Unwired
  /** The port of its output. */
  readonly port: string
  readonly warning?: string
}

/** @throws GruvError `bad-file`, `bad-shape`, `unsupported` for layers that gruv does not read. */
export async function readRtneural(file: SourceFile, options: ReadOptions): Promise<Model> {
  refuseConventions(options, 'RTNeural has conventions of its own')
  const json = object(parseJson(new TextDecoder().decode(file.bytes)), 'the file')
  const features = lastExtent(json.in_shape, 'in_shape')
  const nodes: LayerNode[] = []
  const warnings: string[] = []
  const names = new Map<string, number>()
  const add = (node: Unwired, port: string, x: string): string => {
    const count = names.get(node.name) ?? 0
    names.set(node.name, count + 1)
    const name = count === 0 ? node.name : `${node.name}_${count}`
    const y = `${name}.${port}`
    // Spreading keeps the union member; TypeScript only sees the union's common part.
    nodes.push({ ...node, name, inputs: { x }, outputs: { [port]: y } } as LayerNode)
    return y
  }
  const addGain = (name: string, value: unknown, x: string): string => {
    const decibels = value === undefined || value === null ? 0 : finite(value, name)
    if (decibels === 0) return x
    const scale = { shape: [1], data: Float64Array.of(10 ** (decibels / 20)) }
    const weights = { scale, shift: null }
    return add({ kind: 'affine', name, weights, conventions: [] }, 'y', x)
  }

  const input = addGain('in_gain', json.in_gain, 'x')
  let value = input
  let width = features
  for (const [i, each] of array(json.layers, 'layers').entries()) {
    const layer = layerOf(object(each, `layers[${i}]`), `layers[${i}]`, width)
    locate(layer.where, () => {
      for (const { node, port, warning } of readLayer(layer)) {
        value = add(node, port, value)
        if (warning !== undefined) warnings.push(warning)
      }
    })
    width = layer.units
  }
  const skip = json.in_skip === undefined ? 0 : finite(json.in_skip, 'in_skip')
  value = addResidual(nodes, { from: input, to: value, features, units: width, skip })
  value = addGain('out_gain', json.out_gain, value)
  return createModel({
    name: baseName(file.name),
    source: 'RTNeural model (.json)',
    inputs: [{ name: 'x', shape: ['batch', 'time', features] }],
    outputs: [{ name: 'y', value }],
    nodes,
    warnings,
  })
}

function layerOf(json: JsonObject, where: string, features: number): Layer {
  const weights = array(json.weights ?? [], `${where}.weights`)
  return {
    where,
    json,
    type: text(json.type, `${where}.type`),
    features,
    units: lastExtent(json.shape, `${where}.shape`),
    weights: weights.map((each, i) => tensorFromJson(each, `${where}.weights[${i}]`)),
  }
}

/** A layer, and the activation that stands in the same entry. */
function readLayer(layer: Layer): readonly BuiltNode[] {
  const { type, features, units, weights, where, json } = layer
  const name = type === 'time-distributed-dense' ? 'dense' : type
  switch (type) {
    case 'dense':
    case 'time-distributed-dense': {
      expectShape(layer, 0, [features, units])
      const arrays = { kernel: weights[0], bias: weights[1] }
      const transposed = implied('no' as const, 'RTNeural writes kernels as Keras does')
      return [{ node: denseNode(name, arrays, ownActivation(layer), transposed), port: 'y' }]
    }
    case 'gru':
    case 'lstm': {
      const gates = type === 'gru' ? 3 : 4
      expectShape(layer, 0, [features, gates * units])
      expectShape(layer, 1, [units, gates * units])
      const arrays = { kernel: weights[0], recurrentKernel: weights[1], bias: weights[2] }
      const act = ownActivation(layer)
      const tanh = act.value.kind === 'linear'
      const common = {
        transposed: implied('no' as const, 'RTNeural writes kernels as Keras does'),
        activation: tanh ? implied(activation('tanh'), 'RTNeural has no other') : act,
        recurrentActivation: implied(activation('sigmoid'), 'RTNeural has no other'),
      }
      const node =
        type === 'gru'
          ? gruNode(name, arrays, {
              ...common,
              gateOrder: implied('zrn' as const, 'RTNeural takes z, r, c'),
              update: implied('keeps' as const, 'RTNeural does so'),
              // One row of biases is Keras's form for a reset before the product; RTNeural itself
              // cannot run it.
              ...((weights[2] === undefined || sizeOf(weights[2].shape) !== 3 * units) && {
                reset: implied('after' as const, 'RTNeural does so'),
              }),
            })
          : lstmNode(name, arrays, {
              ...common,
              gateOrder: implied('ifgo' as const, 'RTNeural takes i, f, c, o'),
            })
      const odd = !tanh && act.value.kind !== 'tanh'
      const warning = `${where}: the file says ${act.value.kind}, as Keras trained it; RTNeural itself runs tanh there`
      return [{ node, port: 'sequence', ...(odd && { warning }) }]
    }
    case 'conv1d': {
      const size = lastExtent(json.kernel_size, `${where}.kernel_size`)
      const dilation = lastExtent(json.dilation, `${where}.dilation`)
      const groups = json.groups === undefined ? 1 : lastExtent(json.groups, `${where}.groups`)
      if (features % groups !== 0 || units % groups !== 0)
        throw misfit(`${where}.groups`, `a divisor of ${features} and ${units}`, `${groups}`)
      expectShape(layer, 0, [size, features / groups, units])
      if (weights[1] !== undefined) expectShape(layer, 1, [units])
      const node = {
        kind: 'conv1d',
        name,
        features,
        units,
        size,
        stride: 1,
        dilation,
        groups,
        // RTNeural's convolutions are causal.
        padding: { before: (size - 1) * dilation, after: 0 },
        activation: ownActivation(layer).value,
        weights: { kernel: weights[0], bias: weights[1] ?? null },
        conventions: [],
      } as const
      return [{ node, port: 'y' }]
    }
    case 'activation': {
      expectSame(layer)
      const { value } = ownActivation(layer)
      return [{ node: { kind: 'activation', name, activation: value, conventions: [] }, port: 'y' }]
    }
    case 'prelu': {
      expectSame(layer)
      expectSize(layer, 0, [units, 1])
      const alpha = { ...weights[0], shape: [weights[0].data.length] }
      return [{ node: { kind: 'prelu', name, weights: { alpha }, conventions: [] }, port: 'y' }]
    }
    case 'batchnorm': {
      expectSame(layer)
      if (weights.length !== 4 && weights.length !== 2)
        throw misfit(`${where}.weights`, 'gamma, beta, mean, variance', `${weights.length} arrays`)
      for (const i of weights.keys()) expectShape(layer, i, [units])
      const [mean, variance] = weights.slice(-2)
      const [gamma, beta] = weights.length === 4 ? weights : [null, null]
      const node = {
        kind: 'batchNorm',
        name,
        epsilon: finite(json.epsilon, `${where}.epsilon`),
        weights: { gamma, beta, mean, variance },
        conventions: [],
      } as const
      return [{ node, port: 'y' }]
    }
    default:
      throw new GruvError('unsupported', `the layer '${type.slice(0, 40)}' is not read`, {
        where: `${where}.type`,
        expected:
          'dense, time-distributed-dense, gru, lstm, conv1d, activation, prelu or batchnorm',
      })
  }
}

function ownActivation({ json, where }: Layer): Ground<Activation> {
  const name = json.activation === undefined ? '' : text(json.activation, `${where}.activation`)
  return stated(activation(name || 'linear'), 'the file says so')
}

/** A number, or the last of a list, as RTNeural takes it. */
function lastExtent(value: unknown, where: string): number {
  const extent = Array.isArray(value) ? value.at(-1) : value
  if (Array.isArray(value) && value.length > 3) {
    throw new GruvError('unsupported', 'layers over frequencies (conv2d) are not read', {
      where,
      got: `${value.length} axes`,
    })
  }
  if (Number.isSafeInteger(extent) && (extent as number) > 0 && (extent as number) < 2 ** 24)
    return extent as number
  throw misfit(where, 'a number from 1, or a list that ends in one', JSON.stringify(value))
}

function finite(value: unknown, where: string): number {
  if (typeof value === 'number' && Number.isFinite(value)) return value
  throw misfit(where, 'a number', JSON.stringify(value))
}

function expectShape({ weights, where }: Layer, i: number, shape: readonly number[]): void {
  const got = weights[i] === undefined ? 'nothing' : showShape(weights[i].shape)
  if (got !== showShape(shape)) throw misfit(`${where}.weights[${i}]`, showShape(shape), got)
}

function expectSize({ weights, where }: Layer, i: number, sizes: readonly number[]): void {
  const got = weights[i]?.data.length ?? 0
  if (!sizes.includes(got)) throw misfit(`${where}.weights[${i}]`, `${sizes[0]} numbers`, `${got}`)
}

function expectSame({ features, units, where }: Layer): void {
  if (features !== units) throw misfit(`${where}.shape`, `${features} at the end`, `${units}`)
}

function misfit(where: string, expected: string, got: string | undefined): GruvError {
  const short = (got ?? 'nothing').slice(0, 60)
  return new GruvError('bad-file', 'the layer is not right', { where, expected, got: short })
}
