/**
 * Builds the layers that TensorFlow 2 makes of its own functions: TFOpLambda and SlicingOpLambda
 * (2.4 to 2.15) name a function and its arguments, TensorFlowOpLayer (2.0 to 2.3) an operation and
 * its constants. Both are read as the operations of Keras 3 that do the same.
 * Source: `tf_keras/layers/core/tf_op_layer.py`, `tf_keras/engine/node.py`.
 */

import { isJsonObject, type JsonObject } from '../../../bytes/json/object.ts'
import type { LayerConfig } from '../config.ts'
import type { Result } from '../graph.ts'
import { entry, type Given, type LayerCall, type LayerEntry, unsupported } from '../layer.ts'
import { Settings } from '../settings.ts'
import { constantTensor, operation, plain, tensorOf, wholesOf } from './arguments.ts'
import { kerasOperations } from './operations.ts'

/**
 * A function that does what an operation of Keras 3 does.
 * @param parameters in the order of the function's signature, with the operation's name behind a
 *   colon where it is another; `TensorFlow:Keras`.
 * @param defaults of the function, where the operation has others.
 */
function like(
  operation: string,
  parameters: string,
  defaults: Readonly<Record<string, unknown>> = {},
): LayerEntry {
  const names = parameters.split(' ').map((each) => {
    const [own, theirs = own] = each.split(':')
    return [own, theirs] as const
  })
  const renamed = new Map(names)
  const places = [...new Set(names.map(([, theirs]) => theirs))]
  return entry((call) => {
    const kwargs = new Map<string, Given>(
      Object.entries(defaults).map(([name, constant]) => [name, { constant }]),
    )
    for (const [i, value] of call.args.entries())
      kwargs.set(places[i] ?? `argument ${i + 1}`, value)
    for (const [name, value] of Object.entries(call.kwargs))
      kwargs.set(renamed.get(name) ?? name, value)
    return kerasOperations[operation].build({
      ...call,
      args: [],
      kwargs: Object.fromEntries(kwargs),
      settings: new Settings({}, call.name),
    })
  }, false)
}

const pair = 'x:x1 y:x2'
const reduction = 'input_tensor:x axis keepdims x keep_dims:keepdims reduction_indices:axis'

/** Products whose factors may be transposed. */
const matmul = operation('a b transpose_a transpose_b', (call, given) => {
  const [a, b] = ['a', 'b'].map((port): Result => {
    const x = tensorOf(call, given(port), port)
    const rank = x.shape.length
    if (rank < 2) throw unsupported(call, 'a product with a vector')
    if (plain(given(`transpose_${port}`)) !== true) return x
    if (rank < 3) throw unsupported(call, 'rows that change places with another axis')
    const axes = x.shape.map((_, axis) => axis).toSpliced(rank - 2, 2, rank - 1, rank - 2)
    return call.graph.transpose(`${call.name}.${port}`, x, axes)
  })
  return call.graph.one(call.name, { kind: 'matmul' }, { a, b })
})

/** An operation with other arguments. */
function build(call: LayerCall, name: string, kwargs: Readonly<Record<string, Given>>) {
  const settings = new Settings({}, call.name)
  return kerasOperations[name].build({ ...call, args: [], kwargs, settings })
}

const slice = operation('input_ begin size', (call, given) => {
  const begin = wholesOf(call, given('begin'), 'begin') ?? []
  const size = wholesOf(call, given('size'), 'size') ?? []
  const key = begin.map((start, i) =>
    start === 0 && size[i] === -1
      ? { start: null, stop: null }
      : { start, stop: size[i] === -1 ? null : start + (size[i] ?? 0) },
  )
  return build(call, 'GetItem', { x: given('input_') ?? [], key: { constant: key } })
})

/** TensorFlow lists the sizes of the parts, Keras the places where they begin. */
const split = operation('value num_or_size_splits axis', (call, given) => {
  const key = 'num_or_size_splits'
  const sizes = wholesOf(call, given(key), key) ?? []
  let at = 0
  const parts = Array.isArray(plain(given(key)))
    ? sizes.slice(0, -1).map((size) => {
        at += size
        return at
      })
    : sizes[0]
  return build(call, 'Split', {
    x: given('value') ?? [],
    indices_or_sections: { constant: parts },
    axis: given('axis') ?? { constant: 0 },
  })
})

/** By the last part of their names. */
const functions: Readonly<Record<string, LayerEntry>> = {
  add: like('Add', pair),
  subtract: like('Subtract', pair),
  multiply: like('Multiply', pair),
  scalar_mul: like('Multiply', 'scalar:x1 x:x2'),
  divide: like('Divide', pair),
  truediv: like('Divide', pair),
  floordiv: like('FloorDivide', pair),
  floormod: like('Mod', pair),
  mod: like('Mod', pair),
  pow: like('Power', `${pair} a:x2`),
  maximum: like('Maximum', pair),
  minimum: like('Minimum', pair),
  equal: like('Equal', pair),
  not_equal: like('NotEqual', pair),
  greater: like('Greater', pair),
  greater_equal: like('GreaterEqual', pair),
  less: like('Less', pair),
  less_equal: like('LessEqual', pair),
  eq: like('Equal', 'self:x1 other:x2'),
  ne: like('NotEqual', 'self:x1 other:x2'),
  logical_and: like('LogicalAnd', pair),
  logical_or: like('LogicalOr', pair),
  logical_xor: like('LogicalXor', pair),
  logical_not: like('LogicalNot', 'x'),
  where: like('Where', 'condition x:x1 y:x2'),
  abs: like('Absolute', 'x'),
  negative: like('Negative', 'x'),
  reciprocal: like('Reciprocal', 'x'),
  square: like('Square', 'x'),
  sqrt: like('Sqrt', 'x'),
  rsqrt: like('Rsqrt', 'x'),
  exp: like('Exp', 'x'),
  log: like('Log', 'x'),
  sin: like('Sin', 'x'),
  cos: like('Cos', 'x'),
  erf: like('Erf', 'x'),
  floor: like('Floor', 'x'),
  ceil: like('Ceil', 'x input:x'),
  round: like('Round', 'x'),
  sign: like('Sign', 'x'),
  cast: like('Cast', 'x dtype'),
  identity: like('Copy', 'input:x'),
  stop_gradient: like('StopGradient', 'input:variable'),
  convert_to_tensor: like('ConvertToTensor', 'value:x'),
  clip_by_value: like('Clip', 't:x clip_value_min:x_min clip_value_max:x_max'),
  clip: like('Clip', 'x min_value:x_min max_value:x_max'),
  reduce_max: like('Max', reduction),
  reduce_min: like('Min', reduction),
  reduce_mean: like('Mean', reduction),
  reduce_sum: like('Sum', reduction),
  reduce_prod: like('Prod', reduction),
  reduce_any: like('Any', reduction),
  reduce_all: like('All', reduction),
  reduce_logsumexp: like('Logsumexp', reduction),
  reduce_variance: like('Var', reduction),
  reduce_std: like('Std', reduction),
  max: like('Max', 'x axis keepdims'),
  min: like('Min', 'x axis keepdims'),
  mean: like('Mean', 'x axis keepdims'),
  sum: like('Sum', 'x axis keepdims'),
  l2_normalize: like('Normalize', 'x axis dim:axis', { epsilon: 1e-6 }),
  relu: like('Relu', 'features:x x'),
  relu6: like('Relu6', 'features:x'),
  leaky_relu: like('LeakyRelu', 'features:x alpha:negative_slope'),
  elu: like('Elu', 'features:x x'),
  selu: like('Selu', 'features:x x'),
  gelu: like('Gelu', 'features:x approximate x', { approximate: false }),
  silu: like('Silu', 'features:x x'),
  swish: like('Silu', 'features:x x'),
  softplus: like('Softplus', 'features:x x'),
  softsign: like('Softsign', 'features:x x'),
  sigmoid: like('Sigmoid', 'x'),
  log_sigmoid: like('LogSigmoid', 'x'),
  tanh: like('Tanh', 'x'),
  softmax: like('Softmax', 'logits:x axis x dim:axis'),
  log_softmax: like('LogSoftmax', 'logits:x axis'),
  getitem: like('GetItem', 'tensor:x slice_spec:key'),
  slice,
  split,
  expand_dims: like('ExpandDims', 'input:x axis x', { axis: -1 }),
  squeeze: like('Squeeze', 'input:x axis x'),
  reshape: like('Reshape', 'tensor:x shape:newshape x'),
  transpose: like('Transpose', 'a:x perm:axes x'),
  permute_dimensions: like('Transpose', 'x pattern:axes'),
  concat: like('Concatenate', 'values:xs axis'),
  concatenate: like('Concatenate', 'tensors:xs axis', { axis: -1 }),
  stack: like('Stack', 'values:x axis x'),
  unstack: like('Unstack', 'value:x num axis'),
  reverse: like('Flip', 'tensor:x axis x axes:axis'),
  repeat: like('Repeat', 'input:x repeats axis'),
  repeat_elements: like('Repeat', 'x rep:repeats axis'),
  tile: like('Tile', 'input:x multiples:repeats x n:repeats'),
  gather: like('Take', 'params:x indices validate_indices axis'),
  pad: like('Pad', 'tensor:x paddings:pad_width mode constant_values'),
  zeros_like: like('ZerosLike', 'input:x x tensor:x'),
  ones_like: like('OnesLike', 'input:x x tensor:x'),
  one_hot: like('OneHot', 'indices:x depth:num_classes'),
  matmul,
}

/** Which part of TensorFlow's names they may stand in: `strings.split` is another function. */
const spaces = /^(?:compat\.v[12]\.)?(?:(?:math|nn|linalg|__operators__|keras\.backend)\.)?(\w+)$/

function statedFunction({ settings }: LayerConfig): string {
  const name = settings.get('function')
  return typeof name === 'string' ? name : ''
}

function functionOf(layer: LayerConfig): LayerEntry | null {
  const name = spaces.exec(statedFunction(layer))?.[1] ?? ''
  return Object.hasOwn(functions, name) ? functions[name] : null
}

/** An operation of a TensorFlow graph: its inputs in order, then its attributes. */
interface GraphOperation {
  readonly operation: LayerEntry
  readonly inputs: readonly string[]
  /** An attribute under the name of the parameter. */
  readonly attributes: readonly (readonly [string, string])[]
}

function graphOperation(operation: string, inputs: string, attributes = ''): GraphOperation {
  const pairs = attributes === '' ? [] : attributes.split(' ').map((each) => each.split(':'))
  return {
    operation: kerasOperations[operation],
    inputs: inputs.split(' '),
    attributes: pairs.map(([attribute, parameter]) => [attribute, parameter] as const),
  }
}

const both = 'x1 x2'
const reducing = ['x axis', 'keep_dims:keepdims'] as const

/** Their inputs are variadic where a name has dots. */
const graphOperations: Readonly<Record<string, GraphOperation>> = {
  Add: graphOperation('Add', both),
  AddV2: graphOperation('Add', both),
  BiasAdd: graphOperation('Add', both),
  Sub: graphOperation('Subtract', both),
  Mul: graphOperation('Multiply', both),
  RealDiv: graphOperation('Divide', both),
  Div: graphOperation('Divide', both),
  FloorDiv: graphOperation('FloorDivide', both),
  FloorMod: graphOperation('Mod', both),
  Pow: graphOperation('Power', both),
  Maximum: graphOperation('Maximum', both),
  Minimum: graphOperation('Minimum', both),
  Equal: graphOperation('Equal', both),
  NotEqual: graphOperation('NotEqual', both),
  Greater: graphOperation('Greater', both),
  GreaterEqual: graphOperation('GreaterEqual', both),
  Less: graphOperation('Less', both),
  LessEqual: graphOperation('LessEqual', both),
  LogicalAnd: graphOperation('LogicalAnd', both),
  LogicalOr: graphOperation('LogicalOr', both),
  LogicalNot: graphOperation('LogicalNot', 'x'),
  SelectV2: graphOperation('Where', 'condition x1 x2'),
  Abs: graphOperation('Absolute', 'x'),
  Neg: graphOperation('Negative', 'x'),
  Reciprocal: graphOperation('Reciprocal', 'x'),
  Square: graphOperation('Square', 'x'),
  Sqrt: graphOperation('Sqrt', 'x'),
  Rsqrt: graphOperation('Rsqrt', 'x'),
  Exp: graphOperation('Exp', 'x'),
  Log: graphOperation('Log', 'x'),
  Sin: graphOperation('Sin', 'x'),
  Cos: graphOperation('Cos', 'x'),
  Erf: graphOperation('Erf', 'x'),
  Floor: graphOperation('Floor', 'x'),
  Ceil: graphOperation('Ceil', 'x'),
  Round: graphOperation('Round', 'x'),
  Sign: graphOperation('Sign', 'x'),
  Cast: graphOperation('Cast', 'x', 'DstT:dtype'),
  Identity: graphOperation('Copy', 'x'),
  StopGradient: graphOperation('StopGradient', 'variable'),
  ClipByValue: graphOperation('Clip', 'x x_min x_max'),
  Max: graphOperation('Max', ...reducing),
  Min: graphOperation('Min', ...reducing),
  Mean: graphOperation('Mean', ...reducing),
  Sum: graphOperation('Sum', ...reducing),
  Prod: graphOperation('Prod', ...reducing),
  Any: graphOperation('Any', ...reducing),
  All: graphOperation('All', ...reducing),
  Relu: graphOperation('Relu', 'x'),
  Relu6: graphOperation('Relu6', 'x'),
  LeakyRelu: graphOperation('LeakyRelu', 'x', 'alpha:negative_slope'),
  Elu: graphOperation('Elu', 'x'),
  Selu: graphOperation('Selu', 'x'),
  Softplus: graphOperation('Softplus', 'x'),
  Softsign: graphOperation('Softsign', 'x'),
  Sigmoid: graphOperation('Sigmoid', 'x'),
  Tanh: graphOperation('Tanh', 'x'),
  Softmax: graphOperation('Softmax', 'x'),
  LogSoftmax: graphOperation('LogSoftmax', 'x'),
  ExpandDims: graphOperation('ExpandDims', 'x axis'),
  Squeeze: graphOperation('Squeeze', 'x', 'squeeze_dims:axis'),
  Reshape: graphOperation('Reshape', 'x newshape'),
  Transpose: graphOperation('Transpose', 'x axes'),
  ConcatV2: graphOperation('Concatenate', '...xs axis'),
  Pack: graphOperation('Stack', '...x', 'axis:axis'),
  Unpack: graphOperation('Unstack', 'x', 'axis:axis'),
  ReverseV2: graphOperation('Flip', 'x axis'),
  Tile: graphOperation('Tile', 'x repeats'),
  GatherV2: graphOperation('Take', 'x indices axis'),
  ZerosLike: graphOperation('ZerosLike', 'x'),
  OnesLike: graphOperation('OnesLike', 'x'),
  MatMul: {
    operation: matmul,
    inputs: ['a', 'b'],
    attributes: [
      ['transpose_a', 'transpose_a'],
      ['transpose_b', 'transpose_b'],
    ],
  },
  BatchMatMulV2: {
    operation: matmul,
    inputs: ['a', 'b'],
    attributes: [
      ['adj_x', 'transpose_a'],
      ['adj_y', 'transpose_b'],
    ],
  },
  StridedSlice: { operation: kerasOperations.GetItem, inputs: ['x'], attributes: [] },
}

/** The NodeDef of TensorFlow as protobuf writes it in JSON. */
function nodeDef({ settings }: LayerConfig): JsonObject {
  return jsonIn(settings.get('node_def'))
}

function jsonIn(value: unknown): JsonObject {
  return isJsonObject(value) ? value : {}
}

function graphOperationOf(layer: LayerConfig): GraphOperation | null {
  const { op } = nodeDef(layer)
  return typeof op === 'string' && Object.hasOwn(graphOperations, op) ? graphOperations[op] : null
}

const graphLayer = entry((call) => {
  const known = graphOperationOf(call.layer)
  if (known === null) throw unsupported(call, unknownFunction(call.layer) ?? '')
  const { attr: attributes, op } = nodeDef(call.layer)
  const attr = jsonIn(attributes)
  const operands = operandsOf(call)
  const kwargs: Record<string, Given> = {}
  const [list, ...others] = known.inputs
  if (list.startsWith('...')) {
    kwargs[list.slice(3)] = operands.slice(0, operands.length - others.length)
    for (const [i, name] of others.entries())
      kwargs[name] = operands[operands.length - others.length + i]
  } else for (const [i, name] of known.inputs.entries()) kwargs[name] = operands[i]
  for (const [attribute, parameter] of known.attributes) {
    const value = attributeValue(attr[attribute])
    if (value !== undefined) kwargs[parameter] = { constant: value }
  }
  if (op === 'StridedSlice') kwargs.key = { constant: sliceKeys(call, operands, attr) }
  return known.operation.build({
    ...call,
    args: [],
    kwargs,
    settings: new Settings({}, call.name),
  })
}, false)

/** The inputs of the operation: its constants at their places, tensors at the others. */
function operandsOf(call: LayerCall): readonly Given[] {
  const fixed = new Map(Object.entries(jsonIn(call.settings.get('constants'))))
  const tensors = [...call.inputs]
  return Array.from({ length: fixed.size + tensors.length }, (_, i): Given => {
    const constant = fixed.get(String(i))
    const value = constant === undefined ? tensors.shift() : { constant }
    if (value !== undefined) return value
    throw unsupported(call, 'an operation without one of its inputs', `input ${i}`)
  })
}

function attributeValue(value: unknown): unknown {
  const { b, i, f, type, list } = jsonIn(value)
  if (list !== undefined) {
    const { i: whole } = jsonIn(list)
    return Array.isArray(whole) && whole.length > 0 ? whole.map(wholeNumber) : undefined
  }
  if (i !== undefined) return wholeNumber(i)
  if (typeof type === 'string') return dtypeOf(type)
  return b ?? f
}

/** A 64-bit integer, which stands as text in protobuf's JSON. */
function wholeNumber(value: unknown): number {
  return typeof value === 'string' || typeof value === 'number' ? Number(value) : Number.NaN
}

const dtypes: ReadonlyMap<string, string> = new Map([
  ['float', 'float32'],
  ['double', 'float64'],
  ['half', 'float16'],
])

/** `DT_FLOAT` as NumPy calls it. */
function dtypeOf(type: string): string {
  const name = type.replace(/^DT_/, '').toLowerCase()
  return dtypes.get(name) ?? name
}

/** `begin`, `end` and `strides` as keys; bits say where a key is something else. */
function sliceKeys(
  call: LayerCall,
  operands: readonly Given[],
  attr: JsonObject,
): readonly unknown[] {
  const [begin, end, strides] = operands.slice(1, 4).map((each) => {
    const numbers = constantTensor(each, call.name)
    if (numbers === null) throw unsupported(call, 'a slice whose places are computed')
    return [...numbers.data]
  })
  if (begin === undefined || end === undefined || strides === undefined)
    throw unsupported(call, 'a slice without its places')
  const bit = (mask: string, i: number): boolean =>
    Math.floor(wholeNumber(jsonIn(attr[`${mask}_mask`]).i ?? 0) / 2 ** i) % 2 === 1
  return begin.map((start, i) => {
    if (bit('ellipsis', i)) return { class_name: '__ellipsis__' }
    if (bit('new_axis', i)) return null
    if (bit('shrink_axis', i)) return start
    return {
      start: bit('begin', i) ? null : start,
      stop: bit('end', i) ? null : end[i],
      step: strides[i],
    }
  })
}

const lambda = entry((call) => {
  const known = functionOf(call.layer)
  if (known === null) throw unsupported(call, unknownFunction(call.layer) ?? '')
  return known.build({ ...call, settings: new Settings({}, call.name) })
}, false)

/** The layers that are functions of TensorFlow; null for another layer, and for one that is known. */
export function unknownFunction(layer: LayerConfig): string | null {
  const { className } = layer
  if (className === 'TensorFlowOpLayer') {
    if (graphOperationOf(layer) !== null) return null
    const { op } = nodeDef(layer)
    return typeof op === 'string'
      ? `${op}, an operation of TensorFlow that gruv does not know`
      : 'an operation of TensorFlow in the form of 2.0, which gruv does not read'
  }
  if (className !== 'TFOpLambda' && className !== 'SlicingOpLambda') return null
  if (functionOf(layer) !== null) return null
  return `tf.${statedFunction(layer)}, a function of TensorFlow that gruv does not know`
}

export const tensorflowOperations: Readonly<Record<string, LayerEntry>> = {
  TFOpLambda: lambda,
  SlicingOpLambda: lambda,
  TensorFlowOpLayer: graphLayer,
}
