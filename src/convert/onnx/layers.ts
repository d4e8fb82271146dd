/** Writes layers without a state as ONNX operators. */

import { GruvError } from '../../errors.ts'
import { permuteAxes } from '../../model/axes.ts'
import type { Dim, LayerNode, NodeOf } from '../../model/types.ts'
import { type Named, showShape } from '../../tensor.ts'
import { cannotHold, type OtherNode } from '../target.ts'
import { ones, zeros } from '../weights.ts'
import { activate } from './activations.ts'
import { type Attributes, BOOL, FLOAT, INT64, type OnnxBuilder } from './builder.ts'

/** The builder, the inputs and the shapes that a layer is written with. */
export interface EmitContext {
  readonly g: OnnxBuilder
  /** The names of the inputs, by port. */
  readonly inputs: Named<string>
  readonly shapes: Named<readonly Dim[]>
  /** The shape of the output `y`. */
  readonly shape: readonly Dim[]
}

type Emit<N extends LayerNode> = (node: N, context: EmitContext) => string

/** null for layers that ONNX has no operators for, or none that gruv writes. */
const emitters: { readonly [K in OtherNode['kind']]: Emit<NodeOf<K>> | null } = {
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
    const names = [
      g.weights(`${node.name}.gamma`, gamma ?? ones(...mean.shape)),
      g.weights(`${node.name}.beta`, beta ?? zeros(...mean.shape)),
      g.weights(`${node.name}.mean`, mean),
      g.weights(`${node.name}.variance`, variance),
    ]
    const normalized = (x: string): string =>
      g.op('BatchNormalization', [x, ...names], { epsilon: { float: node.epsilon } })
    return shapes.x.length < 3
      ? normalized(inputs.x)
      : channelsFirst(g, inputs.x, shapes.x.length, normalized)
  },
  layerNorm(node, { g, inputs, shape }) {
    const extents = numbers(shape.slice(-node.axes), node)
    const { gamma, beta } = node.weights
    const arrays = [
      g.weights(`${node.name}.gamma`, { ...(gamma ?? ones(...extents)), shape: extents }),
      ...(beta === null ? [] : [g.weights(`${node.name}.beta`, { ...beta, shape: extents })]),
    ]
    const attributes = { axis: { int: -node.axes }, epsilon: { float: node.epsilon } }
    return g.op('LayerNormalization', [inputs.x, ...arrays], attributes)
  },
  conv1d: (node, context) =>
    convolution(node, context, {
      strides: [node.stride],
      dilations: [node.dilation],
      padding: node.padding === 'same' ? 'same' : [node.padding],
    }),
  conv: (node, context) => convolution(node, context, node),
  pool(node, { g, inputs, shapes }) {
    const attributes = {
      kernel_shape: { ints: node.sizes },
      strides: { ints: node.strides },
      ...pads(node.padding),
      ...(node.op === 'average' && { count_include_pad: { int: node.countsPadding ? 1 : 0 } }),
    }
    const type = node.op === 'max' ? 'MaxPool' : 'AveragePool'
    return channelsFirst(g, inputs.x, shapes.x.length, (x) => g.op(type, [x], attributes))
  },
  merge(node, { g, inputs, shape }) {
    const values = Object.values(inputs)
    if (node.mode === 'concatenate')
      return g.op('Concat', values, { axis: { int: shape.length - 1 } })
    if (node.mode === 'average') return g.op('Mean', values)
    const [type] = binaryTypes[node.mode]
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
      // An extent of 1 is left as it is.
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
    const value = node.mode === 'constant' ? [g.scalar(node.value)] : []
    const arriving = [inputs.x, g.ints(beginsAndEnds(node.pads)), ...value]
    return g.op('Pad', arriving, { mode: { text: node.mode } })
  },
  gather: (node, { g, inputs }) =>
    g.op('Gather', [inputs.x, cast(g, inputs.indices, INT64)], { axis: { int: node.axis } }),
  constant: (node, { g }) => g.weights(`${node.name}.value`, node.weights.value),
  range: (node) => {
    throw cannotHold('ONNX', node, `a range over the extent ${node.count}`)
  },
  binary(node, { g, inputs }) {
    const { a, b } = inputs
    if (node.op === 'modulo') throw cannotHold('ONNX', node, node.op)
    const [type, takes, gives] = binaryTypes[node.op]
    const result = g.op(type, takes === 'truth' ? [cast(g, a, BOOL), cast(g, b, BOOL)] : [a, b])
    return gives === 'truth' ? cast(g, result, FLOAT) : result
  },
  unary(node, { g, inputs }) {
    if (node.op === 'not') return cast(g, g.op('Not', [cast(g, inputs.x, BOOL)]), FLOAT)
    return g.op(unaryTypes[node.op], [inputs.x])
  },
  where: (_, { g, inputs }) => g.op('Where', [cast(g, inputs.condition, BOOL), inputs.a, inputs.b]),
  reduce(node, { g, inputs }) {
    const keepdims = { int: node.keepAxes ? 1 : 0 }
    // Only ReduceSum takes its axes as an input, from opset 13 on.
    if (node.op === 'sum') return g.op('ReduceSum', [inputs.x, g.ints(node.axes)], { keepdims })
    return g.op(reduceTypes[node.op], [inputs.x], { axes: { ints: node.axes }, keepdims })
  },
  matmul: (_, { g, inputs }) => g.op('MatMul', [inputs.a, inputs.b]),
  softmax: (node, { g, inputs }) =>
    g.op(node.log ? 'LogSoftmax' : 'Softmax', [inputs.x], { axis: { int: node.axis } }),
  masking: null,
  convTranspose: null,
  attention: null,
  multiHeadAttention: null,
}

/** Ends of a slice before the first and after the last element, as ONNX writes them. */
const BEGINNING = -(2 ** 31)
const END = 2 ** 31 - 1

type Operands = 'numbers' | 'truth'

/** Truth values are numbers in gruv and a type in ONNX, which has no such modulo. */
const binaryTypes: Readonly<
  Record<
    Exclude<NodeOf<'binary'>['op'], 'modulo'>,
    readonly [type: string, takes: Operands, gives: Operands]
  >
> = {
  add: ['Add', 'numbers', 'numbers'],
  subtract: ['Sub', 'numbers', 'numbers'],
  multiply: ['Mul', 'numbers', 'numbers'],
  divide: ['Div', 'numbers', 'numbers'],
  power: ['Pow', 'numbers', 'numbers'],
  maximum: ['Max', 'numbers', 'numbers'],
  minimum: ['Min', 'numbers', 'numbers'],
  greater: ['Greater', 'numbers', 'truth'],
  greaterOrEqual: ['GreaterOrEqual', 'numbers', 'truth'],
  less: ['Less', 'numbers', 'truth'],
  lessOrEqual: ['LessOrEqual', 'numbers', 'truth'],
  equal: ['Equal', 'numbers', 'truth'],
  and: ['And', 'truth', 'truth'],
  or: ['Or', 'truth', 'truth'],
  xor: ['Xor', 'truth', 'truth'],
}

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

function cast(g: OnnxBuilder, x: string, type: number): string {
  return g.op('Cast', [x], { to: { int: type } })
}

/** ONNX has channels before the spatial axes, and kernels of [units, features, ...sizes]. */
function convolution(
  node: NodeOf<'conv1d' | 'conv'>,
  { g, inputs, shapes }: EmitContext,
  { strides, dilations, padding }: Pick<NodeOf<'conv'>, 'strides' | 'dilations' | 'padding'>,
): string {
  const { kernel, bias } = node.weights
  const last = shapes.x.length - 1
  const spatial = Array.from({ length: last - 1 }, (_, axis) => axis)
  const turned = permuteAxes(kernel, [last, last - 1, ...spatial])
  const arrays = [
    g.weights(`${node.name}.kernel`, turned),
    ...(bias === null ? [] : [g.weights(`${node.name}.bias`, bias)]),
  ]
  const attributes = {
    kernel_shape: { ints: turned.shape.slice(2) },
    strides: { ints: strides },
    dilations: { ints: dilations },
    group: { int: node.groups },
    ...pads(padding),
  }
  const y = channelsFirst(g, inputs.x, last + 1, (x) => g.op('Conv', [x, ...arrays], attributes))
  return activate(g, y, node.activation)
}

function pads(padding: NodeOf<'conv'>['padding']): Attributes {
  if (padding === 'same') return { auto_pad: { text: 'SAME_UPPER' } }
  return { pads: { ints: beginsAndEnds(padding) } }
}

/** All that is added before, axis by axis, then all that is added after. */
function beginsAndEnds(pads: NodeOf<'pad'>['pads']): readonly number[] {
  return [...pads.map(({ before }) => before), ...pads.map(({ after }) => after)]
}

/** Applies an operator to [rows, features, ...spatial] instead of [rows, ...spatial, features]. */
function channelsFirst(
  g: OnnxBuilder,
  x: string,
  rank: number,
  apply: (turned: string) => string,
): string {
  const spatial = Array.from({ length: rank - 2 }, (_, i) => i + 1)
  const turned = g.op('Transpose', [x], { perm: { ints: [0, rank - 1, ...spatial] } })
  const back = [0, ...spatial.map((axis) => axis + 1), 1]
  return g.op('Transpose', [apply(turned)], { perm: { ints: back } })
}

function numbers(shape: readonly Dim[], node: LayerNode): readonly number[] {
  if (shape.every((dim) => typeof dim === 'number')) return shape as readonly number[]
  throw new GruvError('unsupported', 'ONNX cannot hold a normalisation over extents unknown yet', {
    where: node.name,
    got: showShape(shape),
  })
}

/**
 * @returns the name of the output `y`. @throws GruvError for layers without an operator in ONNX.
 */
export function addLayer(node: OtherNode, context: EmitContext): string {
  // The table's type ties each kind to its node; TypeScript cannot follow an index.
  const emit = emitters[node.kind] as Emit<OtherNode> | null
  if (emit === null) throw cannotHold('ONNX', node, 'this layer')
  return emit(node, context)
}
