/** Computes elementwise, with NumPy's broadcasting, on values of every kind. */

import {
  activation,
  type ElementwiseKind,
  isElementwise,
} from '../../../model/activation/activations.ts'
import { activationTable } from '../../../model/activation/table.ts'
import { product, quotient, sum } from '../../../model/shapes/dims.ts'
import type { BinaryNode, Dim, MergeNode, UnaryNode } from '../../../model/types.ts'
import { type DType, dtypeOf, type Tensor } from '../../../tensor.ts'
import { align, besideLive, isVector } from '../align.ts'
import { type Graph, isInteger } from '../graph.ts'
import { mapKnown, uniform } from '../known.ts'
import { type Extents, extents, type Known, type Live, type Value } from '../values.ts'

export type BinaryName = BinaryNode['op']

interface Binary {
  readonly value: (a: number, b: number) => number
  /** The layer that does it where the shapes are equal. */
  readonly merge?: MergeNode['mode']
  /** Whether the result is true or false. */
  readonly logical?: true
}

const binaries: Readonly<Record<BinaryName, Binary>> = {
  add: { value: (a, b) => a + b, merge: 'add' },
  subtract: { value: (a, b) => a - b, merge: 'subtract' },
  multiply: { value: (a, b) => a * b, merge: 'multiply' },
  divide: { value: (a, b) => a / b, merge: 'divide' },
  power: { value: (a, b) => a ** b },
  maximum: { value: Math.max, merge: 'maximum' },
  minimum: { value: Math.min, merge: 'minimum' },
  // The sign of the divisor, as Python has it.
  modulo: { value: (a, b) => a - b * Math.floor(a / b) },
  greater: { value: (a, b) => Number(a > b), logical: true },
  greaterOrEqual: { value: (a, b) => Number(a >= b), logical: true },
  less: { value: (a, b) => Number(a < b), logical: true },
  lessOrEqual: { value: (a, b) => Number(a <= b), logical: true },
  equal: { value: (a, b) => Number(a === b), logical: true },
  and: { value: (a, b) => Number(a !== 0 && b !== 0), logical: true },
  or: { value: (a, b) => Number(a !== 0 || b !== 0), logical: true },
  xor: { value: (a, b) => Number((a !== 0) !== (b !== 0)), logical: true },
}

export function binary(graph: Graph, op: BinaryName, a: Value, b: Value): Value {
  if (a.kind === 'extents' || b.kind === 'extents') {
    const both = [entriesOf(a), entriesOf(b)]
    if (both[0] !== null && both[1] !== null) return onExtents(graph, op, both[0], both[1])
  }
  const { value, logical } = binaries[op]
  if (a.kind === 'known' && b.kind === 'known') {
    const whole = isInteger(a) && isInteger(b)
    const f = op === 'divide' && whole ? (x: number, y: number) => Math.trunc(x / y) : value
    const result = mapKnown([a, b], f, logical ? 'bool' : dtypeOf(a.tensor), graph.spend)
    if (result === null) throw graph.misfit('these values do not go together', a, b)
    return result
  }
  const type = logical ? 'bool' : typeOf(a) === 'int' && typeOf(b) === 'int' ? 'int' : 'float'
  const made = affine(graph, op, a, b) ?? onLive(graph, op, a, b)
  const result: Live = { ...made, type }
  return op === 'divide' && type === 'int' ? truncated(graph, result) : result
}

function typeOf(value: Value): Live['type'] {
  if (value.kind === 'live') return value.type
  if (value.kind === 'stack') return value.parts[0].type
  return value.kind === 'extents' || isInteger(value) ? 'int' : 'float'
}

/** x + c, x − c, c − x, x·c, x/c for numbers c of the file. */
function affine(graph: Graph, op: BinaryName, a: Value, b: Value): Live | null {
  const [x, c] = a.kind === 'known' ? [b, a] : [a, b]
  if (c.kind !== 'known' || x.kind === 'known') return null
  const first = x === a
  const live = graph.live(x)
  const tensor = besideLive(graph, live, c)
  if (tensor === null || !isVector(tensor.shape)) return null
  const vector: Tensor = { ...tensor, shape: [tensor.data.length] }
  const mapped = (f: (value: number) => number): Tensor => ({
    shape: vector.shape,
    data: Float64Array.from(vector.data, f),
  })
  const applied = (scale: Tensor | null, shift: Tensor | null): Live => ({
    ...live,
    value: graph.add({ kind: 'affine', weights: { scale, shift } }, { x: live.value }).y,
  })
  const sum = op === 'add' || (op === 'subtract' && first)
  const product = op === 'multiply' || (op === 'divide' && first)
  if ((sum && uniform(c) === 0) || (product && uniform(c) === 1)) return live
  if (sum) return applied(null, op === 'add' ? vector : mapped((value) => -value))
  if (product) return applied(op === 'multiply' ? vector : mapped((value) => 1 / value), null)
  return op === 'subtract' ? applied({ shape: [1], data: Float64Array.of(-1) }, vector) : null
}

function onLive(graph: Graph, op: BinaryName, a: Value, b: Value): Live {
  const [x, c] = a.kind === 'known' ? [b, a] : [a, b]
  const tensor = c.kind === 'known' ? besideLive(graph, graph.live(x), c) : null
  if (tensor !== null) {
    // Arranged here, so that nothing has to be reordered when the model runs.
    const live = graph.live(x)
    const value = trimmed(tensor)
    const { y: constant } = graph.add({ kind: 'constant', weights: { value } }, {})
    const [left, right] = x === a ? [live.value, constant] : [constant, live.value]
    return { ...live, value: graph.add({ kind: 'binary', op }, { a: left, b: right }).y }
  }
  const lives = [graph.live(a), graph.live(b)]
  const { values, view } = align(graph, lives)
  const [left, right] = values
  const { merge } = binaries[op]
  const shape = graph.shapeOf(left)
  const alike = String(shape) === String(graph.shapeOf(right)) && shape.length > 0
  const { y } = graph.add(
    merge !== undefined && alike ? { kind: 'merge', mode: merge } : { kind: 'binary', op },
    { a: left, b: right },
  )
  return { kind: 'live', value: y, view, type: 'float' }
}

function trimmed(tensor: Tensor): Tensor {
  const from = tensor.shape.findIndex((extent) => extent !== 1)
  return { ...tensor, shape: from < 0 ? [] : tensor.shape.slice(from) }
}

interface Entries {
  readonly shape: readonly number[]
  readonly entries: readonly Dim[]
}

/** More than a shape has axes. */
const MOST_ENTRIES = 64

/** Whole numbers and extents; null for other values. */
export function entriesOf(value: Value): Entries | null {
  if (value.kind === 'extents') return value
  if (value.kind !== 'known' || value.shape.length > 1) return null
  const [count = 1] = value.shape
  if (typeof count !== 'number' || count > MOST_ENTRIES) return null
  const { data } = value.tensor
  const entries = Array.from({ length: count }, (_, i) => data[data.length === 1 ? 0 : i])
  return { shape: value.shape.map(Number), entries }
}

const onDims: Partial<Record<BinaryName, (a: Dim, b: Dim) => Dim | null>> = {
  add: (a, b) => sum([a, b]),
  subtract: (a, b) => sum([a, product([b, -1])]),
  multiply: (a, b) => product([a, b]),
  divide: (a, b) => quotient([a], [b]) ?? (typeof b === 'number' ? `⌊${a}/${b}⌋` : null),
  // An extent is at least one.
  equal: (a, b) =>
    a === b ? 1 : [a, b].some((each) => typeof each === 'number' && each < 1) ? 0 : null,
  maximum: (a, b) => (a === b || b === 0 || b === 1 ? a : a === 0 || a === 1 ? b : null),
}

function onExtents(graph: Graph, op: BinaryName, a: Entries, b: Entries): Known | Extents {
  const [wide, narrow] = a.entries.length >= b.entries.length ? [a, b] : [b, a]
  const count = wide.entries.length
  if (narrow.entries.length !== count && narrow.entries.length !== 1) {
    throw graph.unsupported('these extents do not go together')
  }
  const at = ({ entries }: Entries, i: number): Dim => entries[entries.length === 1 ? 0 : i]
  const entries = Array.from({ length: count }, (_, i): Dim => {
    const [x, y] = [at(a, i), at(b, i)]
    const result =
      typeof x === 'number' && typeof y === 'number'
        ? binaries[op].value(x, y)
        : (onDims[op]?.(x, y) ?? null)
    if (result !== null) return result
    throw graph.unsupported(`${op} of extents cannot be known before the model runs`, {
      got: `${x} and ${y}`,
      fix: 'Export the model with fixed extents.',
    })
  })
  return extents(wide.shape, entries)
}

/** f on every element, where the Model has no single layer for it. */
export function unary(graph: Graph, op: UnaryNode['op'], x: Value): Value {
  if (x.kind === 'known') return mapKnown([x], unaries[op], dtypeAfter(op, x), graph.spend)!
  const live = graph.live(x)
  const value = graph.apply({ kind: 'unary', op }, live.value)
  return { ...live, value, type: op === 'not' ? 'bool' : live.type }
}

function dtypeAfter(op: UnaryNode['op'], { tensor }: Known): DType {
  return op === 'not' ? 'bool' : dtypeOf(tensor)
}

const unaries: Readonly<Record<UnaryNode['op'], (a: number) => number>> = {
  abs: Math.abs,
  negative: (a) => -a,
  reciprocal: (a) => 1 / a,
  sqrt: Math.sqrt,
  exp: Math.exp,
  log: Math.log,
  sin: Math.sin,
  cos: Math.cos,
  // gelu(a·√2) = a/√2·(1 + erf(a))
  erf: (a) => (a === 0 ? 0 : (activationTable.gelu.value(a * Math.SQRT2) * Math.SQRT2) / a - 1),
  floor: Math.floor,
  ceil: Math.ceil,
  round: roundToEven,
  sign: Math.sign,
  not: (a) => Number(a === 0),
}

function roundToEven(a: number): number {
  const down = Math.floor(a)
  if (a - down !== 0.5) return Math.round(a)
  return down % 2 === 0 ? down : down + 1
}

/** Towards zero, as a cast to whole numbers does it. */
export function truncated(graph: Graph, x: Value): Value {
  if (x.kind === 'known') return mapKnown([x], Math.trunc, 'int64', graph.spend)!
  const size = unary(graph, 'floor', unary(graph, 'abs', x))
  return binary(graph, 'multiply', unary(graph, 'sign', x), size)
}

/** An activation on every element. */
export function activated(
  graph: Graph,
  x: Value,
  kind: ElementwiseKind,
  parameters: Readonly<Record<string, number>> = {},
): Value {
  const act = activation(kind, parameters)
  if (x.kind === 'known' && isElementwise(act)) {
    const { value } = activationTable[act.kind] as {
      value: (a: number, p: readonly number[]) => number
    }
    return mapKnown([x], (a) => value(a, act.parameters), dtypeOf(x.tensor), graph.spend)!
  }
  const live = graph.live(x)
  return { ...live, value: graph.apply({ kind: 'activation', activation: act }, live.value) }
}

export function selected(graph: Graph, condition: Value, a: Value, b: Value): Value {
  const entries = [entriesOf(condition), entriesOf(a), entriesOf(b)]
  if ([condition, a, b].some(({ kind }) => kind === 'extents')) {
    const [c, x, y] = entries
    if (c !== null && x !== null && y !== null) {
      const count = Math.max(c.entries.length, x.entries.length, y.entries.length)
      const at = (e: Entries, i: number): Dim => e.entries[e.entries.length === 1 ? 0 : i]
      const shape = [c, x, y].find((each) => each.entries.length === count)!.shape
      return extents(
        shape,
        Array.from({ length: count }, (_, i) => (at(c, i) === 0 ? at(y, i) : at(x, i))),
      )
    }
  }
  if (condition.kind === 'known' && a.kind === 'known' && b.kind === 'known') {
    const f = (c: number, x: number, y: number): number => (c !== 0 ? x : y)
    const result = mapKnown([condition, a, b], f, dtypeOf(a.tensor), graph.spend)
    if (result === null) throw graph.misfit('these values do not go together', condition, a, b)
    return result
  }
  const lives = [condition, a, b].map((value) => graph.live(value))
  const { values, view } = align(graph, lives)
  const [c, x, y] = values
  const made = graph.add({ kind: 'where' }, { condition: c, a: x, b: y })
  return { kind: 'live', value: made.y, view, type: lives[1].type }
}

/** One number, as a value. */
export function number(value: number): Known {
  return { kind: 'known', shape: [], tensor: { shape: [], data: Float64Array.of(value) } }
}

export function power(graph: Graph, x: Value, exponent: Value): Value {
  const p = exponent.kind === 'known' ? uniform(exponent) : null
  const grows = exponent.kind === 'known' && exponent.tensor.data.length > 1
  if (p !== null && !grows && x.kind !== 'known') {
    if (p === 1) return x
    if (p === 2) return binary(graph, 'multiply', x, x)
    if (p === 0.5) return unary(graph, 'sqrt', x)
    if (p === -1) return unary(graph, 'reciprocal', x)
  }
  return binary(graph, 'power', x, exponent)
}
