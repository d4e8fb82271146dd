/** Layers without a state as ONNX operators. */

import { GruvError } from '../../errors.ts'
import { permuteAxes } from '../../model/axes.ts'
import type { Dim, LayerKind, LayerNode, NodeOf } from '../../model/types.ts'
import { type Named, showShape, sizeOf } from '../../tensor.ts'
import { cannotHold } from '../target.ts'
import { zeros } from '../weights.ts'
import { activate } from './activations.ts'
import { type Attributes, BOOL, FLOAT, INT64, type OnnxBuilder } from './builder.ts'

/** What a layer finds around it. */
export interface Surroundings {
  readonly g: OnnxBuilder
  /** The names of what arrives, by port. */
  readonly inputs: Named<string>
  readonly shapes: Named<readonly Dim[]>
  /** The shape of what leaves by `y`. */
  readonly shape: readonly Dim[]
}

type Emit<K extends LayerKind> = (node: NodeOf<K>, around: Surroundings) => string

type Emitters = { readonly [K in LayerKind]?: Emit<K> }

const emitters: Emitters = {
  dense(node, { g, inputs }) {
    const { kernel, bias } = node.weights
    const product = g.op('MatMul', [inputs.x, g.weights(`${node.name}.kernel`, kernel)])
    const sum =
      bias === null ? product : g.op('Add', [product, g.weights(`${node.name}.bias`, bias)])
    return activate(g, sum, node.activation)
  },
  activation: (node, { g, inputs }) => activate(g, inputs.x, node.activation),
  prelu: (node, { g, inputs }) =>
    g.op('PRelu', [inputs.x, g.weights(`${node.name}.alpha`, node.weights.alpha)]),
  affine(node, { g, inputs }) {
    const { scale, shift } = node.weights
    const scaled =
      scale === null ? inputs.x : g.op('Mul', [inputs.x, g.weights(`${node.name}.scale`, scale)])
    return shift === null ? scaled : g.op('Add', [scaled, g.weights(`${node.name}.shift`, shift)])
  },
  embedding(node, { g, inputs }) {
    if (node.outputs.mask !== undefined) throw cannotHold('ONNX', node, 'a mask')
    return g.op('Gather', [g.weights(`${node.name}.table`, node.weights.table), inputs.x])
  },
  batchNorm(node, { g, inputs, shapes }) {
    const { gamma, beta, mean, variance } = node.weights
    const one = { shape: mean.shape, data: new Float32Array(mean.data.length).fill(1) }
    const arrays = { gamma: gamma ?? one, beta: beta ?? zeros(...mean.shape), mean, variance }
    const names = Object.entries(arrays).map(([part, each]) =>
      g.weights(`${node.name}.${part}`, each),
    )
    const attributes = { epsilon: { float: node.epsilon } }
    const last = shapes.x.length - 1
    if (last < 2) return g.op('BatchNormalization', [inputs.x, ...names], attributes)
    const x = g.op('Transpose', [inputs.x], channelsFirst(last))
    const y = g.op('BatchNormalization', [x, ...names], attributes)
    return g.op('Transpose', [y], channelsLast(last))
  },
  layerNorm(node, { g, inputs, shape }) {
    const extents = numbers(shape.slice(-node.axes), node)
    const ones = { shape: extents, data: new Float32Array(sizeOf(extents)).fill(1) }
    const { gamma, beta } = node.weights
    const arrays = [
      g.weights(`${node.name}.gamma`, gamma === null ? ones : { ...gamma, shape: extents }),
      ...(beta === null ? [] : [g.weights(`${node.name}.beta`, { ...beta, shape: extents })]),
    ]
    const attributes = { axis: { int: -node.axes }, epsilon: { float: node.epsilon } }
    return g.op('LayerNormalization', [inputs.x, ...arrays], attributes)
  },
  conv1d: (node, around) =>
    convolution(node, around, {
      strides: [node.stride],
      dilations: [node.dilation],
      padding: node.padding === 'same' ? 'same' : [node.padding],
    }),
  conv: (node, around) => convolution(node, around, node),
  pool(node, { g, inputs, shapes }) {
    const last = shapes.x.length - 1
    const attributes = {
      kernel_shape: { ints: node.sizes },
      strides: { ints: node.strides },
      ...pads(node.padding),
      ...(node.op === 'average' && { count_include_pad: { int: node.countsPadding ? 1 : 0 } }),
    }
    const type = node.op === 'max' ? 'MaxPool' : 'AveragePool'
    const pooled = g.op(type, [g.op('Transpose', [inputs.x], channelsFirst(last))], attributes)
    return g.op('Transpose', [pooled], channelsLast(last))
  },
  merge(node, { g, inputs, shape }) {
    const values = Object.values(inputs)
    if (node.mode === 'concatenate')
      return g.op('Concat', values, { axis: { int: shape.length - 1 } })
    if (node.mode === 'average') return g.op('Mean', values)
    const types = {
      add: 'Add',
      subtract: 'Sub',
      multiply: 'Mul',
      divide: 'Div',
      maximum: 'Max',
      minimum: 'Min',
    } as const
    const type = types[node.mode]
    return values.slice(1).reduce((a, b) => g.op(type, [a, b]), values[0])
  },
  reverse: (_, { g, inputs }) =>
    g.op('Slice', [inputs.x, g.ints([-1]), g.ints([BEGINNING]), g.ints([1]), g.ints([-1])]),
  reshape(node, { g, inputs, shapes }) {
    let open = !node.shape.includes(-1)
    const extents = node.shape.map((dim, axis) => {
      if (typeof dim === 'number') return dim
      if (shapes.x[axis] === dim) return 0
      if (!open) throw cannotHold('ONNX', node, `the shape ${showShape(node.shape)}`)
      open = false
      return -1
    })
    return g.op('Reshape', [inputs.x, g.ints(extents)])
  },
  transpose: (node, { g, inputs }) => g.op('Transpose', [inputs.x], { perm: { ints: node.axes } }),
  expand(node, { g, inputs, shapes }) {
    const more = node.shape.length - shapes.x.length
    const extents = node.shape.map((dim, axis) => {
      if (typeof dim === 'number') return dim
      // One leaves an extent as it is.
      if (shapes.x[axis - more] === dim) return 1
      throw cannotHold('ONNX', node, `the shape ${showShape(node.shape)}`)
    })
    return g.op('Expand', [inputs.x, g.ints(extents)])
  },
  slice(node, { g, inputs }) {
    const { slices } = node
    return g.op('Slice', [
      inputs.x,
      g.ints(slices.map(({ start, step }) => start ?? (step > 0 ? 0 : END))),
      g.ints(slices.map(({ end, step }) => end ?? (step > 0 ? END : BEGINNING))),
      g.ints(slices.map(({ axis }) => axis)),
      g.ints(slices.map(({ step }) => step)),
    ])
  },
  concat: (node, { g, inputs }) =>
    g.op('Concat', Object.values(inputs), { axis: { int: node.axis } }),
  pad(node, { g, inputs }) {
    const margins = [
      ...node.pads.map((each) => each.before),
      ...node.pads.map((each) => each.after),
    ]
    const value = node.mode === 'constant' ? [g.scalar(node.value)] : []
    return g.op('Pad', [inputs.x, g.ints(margins), ...value], { mode: { text: node.mode } })
  },
  gather: (node, { g, inputs }) =>
    g.op('Gather', [inputs.x, g.op('Cast', [inputs.indices], { to: { int: INT64 } })], {
      axis: { int: node.axis },
    }),
  constant: (node, { g }) => g.weights(`${node.name}.value`, node.weights.value),
  binary(node, { g, inputs }) {
    const { a, b } = inputs
    const arithmetic = binaryTypes[node.op]
    if (arithmetic !== undefined) return g.op(arithmetic, [a, b])
    if (node.op === 'modulo') throw cannotHold('ONNX', node, 'modulo')
    const logical = logicalTypes[node.op]
    const given = logical === undefined ? [a, b] : [truth(g, a), truth(g, b)]
    return toFloat(g, g.op(logical ?? comparisons[node.op]!, given))
  },
  unary(node, { g, inputs }) {
    if (node.op === 'not') return toFloat(g, g.op('Not', [truth(g, inputs.x)]))
    return g.op(unaryTypes[node.op], [inputs.x])
  },
  where: (_, { g, inputs }) => g.op('Where', [truth(g, inputs.condition), inputs.a, inputs.b]),
  reduce(node, { g, inputs }) {
    const keepdims = { int: node.keepAxes ? 1 : 0 }
    // The sum alone takes its axes as an input, from opset 13 on.
    if (node.op === 'sum') return g.op('ReduceSum', [inputs.x, g.ints(node.axes)], { keepdims })
    return g.op(reduceTypes[node.op], [inputs.x], { axes: { ints: node.axes }, keepdims })
  },
  matmul: (_, { g, inputs }) => g.op('MatMul', [inputs.a, inputs.b]),
  softmax: (node, { g, inputs }) =>
    g.op(node.log ? 'LogSoftmax' : 'Softmax', [inputs.x], { axis: { int: node.axis } }),
}

/** Before the first place and behind the last one, as ONNX has it. */
const BEGINNING = -(2 ** 31)
const END = 2 ** 31 - 1

const binaryTypes: Readonly<Record<string, string>> = {
  add: 'Add',
  subtract: 'Sub',
  multiply: 'Mul',
  divide: 'Div',
  power: 'Pow',
  maximum: 'Max',
  minimum: 'Min',
}

const comparisons: Readonly<Record<string, string>> = {
  greater: 'Greater',
  greaterOrEqual: 'GreaterOrEqual',
  less: 'Less',
  lessOrEqual: 'LessOrEqual',
  equal: 'Equal',
}

const logicalTypes: Readonly<Record<string, string>> = { and: 'And', or: 'Or', xor: 'Xor' }

const unaryTypes = {
  abs: 'Abs',
  negative: 'Neg',
  reciprocal: 'Reciprocal',
  sqrt: 'Sqrt',
  exp: 'Exp',
  log: 'Log',
  sin: 'Sin',
  cos: 'Cos',
  erf: 'Erf',
  floor: 'Floor',
  ceil: 'Ceil',
  round: 'Round',
  sign: 'Sign',
} as const

const reduceTypes = {
  mean: 'ReduceMean',
  max: 'ReduceMax',
  min: 'ReduceMin',
  product: 'ReduceProd',
  l1: 'ReduceL1',
  l2: 'ReduceL2',
  sumSquare: 'ReduceSumSquare',
  logSumExp: 'ReduceLogSumExp',
} as const

function truth(g: OnnxBuilder, x: string): string {
  return g.op('Cast', [x], { to: { int: BOOL } })
}

function toFloat(g: OnnxBuilder, x: string): string {
  return g.op('Cast', [x], { to: { int: FLOAT } })
}

interface Windows {
  readonly strides: readonly number[]
  readonly dilations: readonly number[]
  readonly padding: NodeOf<'conv'>['padding']
}

/** ONNX has the channels before the space, and kernels of [units, features, ...sizes]. */
function convolution(
  node: NodeOf<'conv1d' | 'conv'>,
  { g, inputs, shapes }: Surroundings,
  { strides, dilations, padding }: Windows,
): string {
  const { kernel, bias } = node.weights
  const last = shapes.x.length - 1
  const spatial = Array.from({ length: last - 1 }, (_, axis) => axis)
  const turned = permuteAxes(kernel, [last, last - 1, ...spatial])
  const arrays = [
    g.weights(`${node.name}.kernel`, turned),
    ...(bias === null ? [] : [g.weights(`${node.name}.bias`, bias)]),
  ]
  const x = g.op('Transpose', [inputs.x], channelsFirst(last))
  const attributes = {
    kernel_shape: { ints: turned.shape.slice(2) },
    strides: { ints: strides },
    dilations: { ints: dilations },
    group: { int: node.groups },
    ...pads(padding),
  }
  const y = g.op('Conv', [x, ...arrays], attributes)
  return activate(g, g.op('Transpose', [y], channelsLast(last)), node.activation)
}

function pads(padding: Windows['padding']): Attributes {
  if (padding === 'same') return { auto_pad: { text: 'SAME_UPPER' } }
  const ints = [...padding.map((each) => each.before), ...padding.map((each) => each.after)]
  return { pads: { ints } }
}

/** [rows, ...spatial, features] → [rows, features, ...spatial] */
function channelsFirst(last: number): Attributes {
  return { perm: { ints: [0, last, ...Array.from({ length: last - 1 }, (_, i) => i + 1)] } }
}

function channelsLast(last: number): Attributes {
  return { perm: { ints: [0, ...Array.from({ length: last - 1 }, (_, i) => i + 2), 1] } }
}

function numbers(shape: readonly Dim[], node: LayerNode): readonly number[] {
  if (shape.every((dim) => typeof dim === 'number')) return shape as readonly number[]
  throw new GruvError('unsupported', 'ONNX cannot hold a normalisation over extents unknown yet', {
    where: node.name,
    got: showShape(shape),
  })
}

/** @returns the name of what leaves by `y`. @throws GruvError for layers that ONNX has no operators for. */
export function addLayer(node: LayerNode, around: Surroundings): string {
  // The table's type ties each kind to its node; TypeScript cannot follow an index.
  const emit = emitters[node.kind] as Emit<LayerKind> | undefined
  if (emit === undefined) throw cannotHold('ONNX', node, 'this layer')
  return emit(node as never, around)
}
