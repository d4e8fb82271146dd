/** Operators that move numbers without changing them, and those that compute with extents. */

import { roundBfloat16, roundHalf } from '../../../bytes/numbers/half.ts'
import { emptyNumbers } from '../../../bytes/numbers/storage.ts'
import { product, quotient, sum } from '../../../model/shapes/dims.ts'
import type { Dim } from '../../../model/types.ts'
import { dtypeOf, sizeOf } from '../../../tensor.ts'
import { broadcastShapes, materialize, withRank } from '../known.ts'
import type { Op, Operators } from '../op.ts'
import { checkRank, typeOf } from '../tensors.ts'
import {
  type Extents,
  extents,
  type Known,
  known,
  type Live,
  type Shape,
  type Stack,
  type Value,
} from '../values.ts'
import { binary, entriesOf, truncated, unary } from './arithmetic.ts'
import { dropAxes, transpose, unsqueeze } from './axes.ts'
import { concat } from './concat.ts'
import { positions } from './picking.ts'

export const shaping: Operators = {
  Identity: (op) => [op.input(0)],
  Dropout: (op) => {
    const training = op.inputs[2] === undefined ? 0 : op.number(2, 'training_mode')
    if (training !== 0) throw op.graph.unsupported('Dropout in training mode')
    return [op.input(0), null]
  },
  Constant: (op) => [constant(op)],
  ConstantOfShape: (op) => {
    const shape = extentsIn(op, 0)
    const value = op.tensor('value') ?? { shape: [1], data: new Float32Array(1), dtype: 'float32' }
    if (value.data.length !== 1) throw op.wrong('value', 'one number', `${value.data.length}`)
    return [{ kind: 'known', shape, tensor: { ...value, shape: shape.map(() => 1) } }]
  },
  Shape: (op) => {
    const shape = op.graph.extentsOf(op.input(0))
    const [start, end] = [op.int('start', 0), op.int('end', shape.length)]
    const entries = shape.slice(start, end)
    return [extents([entries.length], entries)]
  },
  Size: (op) => [extents([], [product(op.graph.extentsOf(op.input(0)))])],
  Range: (op) => {
    const open = openRange(op)
    if (open !== null) return [open]
    const [start, limit, delta] = [0, 1, 2].map((i) => op.number(i, 'Range')!)
    const count = Math.max(Math.ceil((limit - start) / delta), 0)
    if (!Number.isFinite(count)) throw op.wrong('the range', 'a finite one', `${start} to ${limit}`)
    op.graph.spend(count)
    const { tensor } = op.input(0) as Known
    return [
      known({
        shape: [count],
        data: Float64Array.from({ length: count }, (_, i) => start + i * delta),
        dtype: dtypeOf(tensor),
      }),
    ]
  },
  Cast: (op) => [cast(op, op.int('to', 0))],
  CastLike: (op) => {
    const like = op.input(1)
    if (like.kind === 'known') return [castKnown(op, op.input(0), dtypeOf(like.tensor))]
    return [op.input(0)]
  },
  Transpose: (op) => {
    const x = op.input(0)
    const rank = x.kind === 'live' ? x.view.length : op.graph.extentsOf(x).length
    const order = op.axes(
      op.ints('perm') ?? Array.from({ length: rank }, (_, i) => rank - 1 - i),
      rank,
    )
    if (order.length !== rank) throw op.wrong('perm', `${rank} axes`, order.join(', '))
    return [transpose(x, order, op.graph.spend)]
  },
  Squeeze: (op) => [squeeze(op)],
  Unsqueeze: (op) => {
    const axes = op.list('axes', 1) ?? []
    const rank = op.graph.extentsOf(op.input(0)).length + axes.length
    checkRank(op.graph.where, rank)
    return [unsqueeze(op.input(0), op.axes(axes, rank))]
  },
  Flatten: (op) => {
    const shape = op.graph.extentsOf(op.input(0))
    const given = op.int('axis', 1)
    const axis = given < 0 ? given + shape.length : given
    return [reshape(op, op.input(0), [product(shape.slice(0, axis)), product(shape.slice(axis))])]
  },
  Reshape: (op) => {
    const target = op.has('shape') ? op.ints('shape')! : extentsIn(op, 1)
    return [reshape(op, op.input(0), resolved(op, target))]
  },
  Expand: (op) => [expand(op, op.input(0), extentsIn(op, 1))],
  Tile: (op) => {
    const repeats = extentsIn(op, 1)
    let x = op.input(0)
    const shape = op.graph.extentsOf(x)
    if (repeats.length !== shape.length)
      throw op.wrong('repeats', `${shape.length} numbers`, repeats.join(', '))
    repeats.forEach((count, axis) => {
      if (count === 1) return
      if (shape[axis] === 1 && (typeof count === 'string' || count > 1)) {
        x = expand(op, x, op.graph.extentsOf(x).with(axis, count))
      } else if (typeof count === 'number' && count > 1 && count <= MOST_COPIES) {
        x = concat(op, new Array<Value>(count).fill(x), axis)
      } else throw op.graph.unsupported('Tile of that many copies', { got: `${count}` })
    })
    return [x]
  },
}

/** From one number on, over an extent that the file leaves open; null where it is no such range. */
function openRange(op: Op): Value | null {
  const limit = op.input(1)
  const delta = entriesOf(op.input(2))?.entries
  if (limit.kind !== 'extents' || limit.entries.length !== 1 || delta?.[0] !== 1) return null
  const start = op.number(0, 'the start of Range')!
  const range = positions(op.graph, sum([limit.entries[0], -start]))
  return start === 0 ? range : binary(op.graph, 'add', range, op.input(0))
}

const MOST_COPIES = 1024

function constant(op: Op): Value {
  const tensor = op.tensor('value')
  if (tensor !== undefined) return known(tensor)
  const float = op.attribute('value_float')?.float
  if (float !== undefined) return known({ shape: [], data: Float32Array.of(float) })
  const floats = op.attribute('value_floats')?.floats
  if (floats !== undefined)
    return known({ shape: [floats.length], data: Float32Array.from(floats) })
  const int = op.attribute('value_int')?.int
  if (int !== undefined) return extents([], [int])
  const ints = op.attribute('value_ints')?.ints
  if (ints !== undefined) return extents([ints.length], ints)
  throw op.graph.unsupported('a Constant of that kind', {
    got: 'neither a tensor nor numbers',
  })
}

/** An input that is a shape: whole numbers, some of which may be extents. */
function extentsIn(op: Op, index: number): Shape {
  const entries = entriesOf(op.input(index))
  if (entries === null) {
    throw op.graph.unsupported(`the shape that ${op.type} is given depends on the inputs' numbers`)
  }
  checkRank(op.graph.where, entries.entries.length)
  for (const entry of entries.entries) {
    if (typeof entry === 'number' && !Number.isSafeInteger(entry))
      throw op.wrong('the shape', 'whole numbers', entries.entries.join(', '))
  }
  return entries.entries
}

function cast(op: Op, to: number): Value {
  const dtype = typeOf(to)
  if (dtype === undefined) throw op.graph.unsupported(`a Cast to type ${to}`)
  const x = op.input(0)
  if (x.kind === 'known') return castKnown(op, x, dtype)
  if (x.kind === 'extents') return x
  const live = op.graph.live(x)
  if (dtype === 'bool') {
    if (live.type === 'bool') return live
    return unary(op.graph, 'not', unary(op.graph, 'not', live))
  }
  if (!/int/.test(dtype)) return { ...live, type: 'float' }
  const whole = live.type === 'float' ? truncated(op.graph, live) : live
  return { ...(whole as Live), type: 'int' }
}

function castKnown(op: Op, x: Value, dtype: ReturnType<typeof dtypeOf>): Value {
  if (x.kind !== 'known') return x
  const { tensor } = x
  op.graph.spend(tensor.data.length)
  const round = dtype === 'float16' ? roundHalf : dtype === 'bfloat16' ? roundBfloat16 : undefined
  const whole = /int/.test(dtype)
  const f = (value: number): number =>
    dtype === 'bool' ? Number(value !== 0) : whole ? Math.trunc(value) : (round?.(value) ?? value)
  const data = emptyNumbers(dtype, tensor.data.length)
  for (let i = 0; i < data.length; i++) data[i] = f(tensor.data[i])
  return { ...x, tensor: { shape: tensor.shape, data, dtype } }
}

function squeeze(op: Op): Value {
  const x = op.input(0)
  const shape = op.graph.extentsOf(x)
  const given = op.list('axes', 1)
  const axes =
    given === undefined
      ? shape.flatMap((extent, axis) => (extent === 1 ? [axis] : []))
      : op.axes(given, shape.length)
  for (const axis of axes) {
    if (!op.graph.symbols.unify(shape[axis], 1))
      throw op.graph.misfit(`axis ${axis} is not of extent 1`, x)
  }
  return dropAxes(op, x, axes)
}

/** A target shape without ONNX's 0 (as before) and −1 (what is left). */
function resolved(op: Op, target: Shape): Shape {
  const x = op.input(0)
  const shape = op.graph.extentsOf(x)
  const copies = op.int('allowzero', 0) === 0
  const filled = target.map((extent, axis) =>
    extent === 0 && copies ? (shape[axis] ?? 0) : extent,
  )
  const open = filled.indexOf(-1)
  if (open < 0) return filled
  const rest = filled.filter((_, axis) => axis !== open)
  const left = rest.includes(-1) ? null : quotient(shape, rest)
  if (left !== null) return filled.with(open, left)
  throw op.graph.misfit(`this cannot be reshaped to [${target.join(', ')}]`, x)
}

function reshape(op: Op, x: Value, target: Shape): Value {
  const { graph } = op
  if (x.kind === 'extents') {
    if (target.every((extent) => typeof extent === 'number') && sizeOf(target) === x.entries.length)
      return { ...x, shape: target } satisfies Extents
    throw graph.misfit('these extents cannot be reshaped so', x)
  }
  const from = graph.extentsOf(x)
  const open = target.some((extent) => typeof extent === 'string' && extent.includes('⌊'))
  if (!open && String(product(from)) !== String(product(target)) && quotient(from, target) !== 1)
    throw graph.misfit(`this cannot be reshaped to [${target.join(', ')}]`, x)
  if (x.kind === 'known') return reshapeKnown(op, x, target)
  if (x.kind === 'stack') return reshapeStack(op, x, target) ?? reshape(op, graph.live(x), target)
  const view = regroup(x, graph.shapeOf(x.value), target)
  if (view !== null) return { ...x, view }
  const value = graph.reshape(graph.layOut(x), target)
  return { ...x, value, view: target.map((_, axis) => [axis]) }
}

function reshapeKnown(op: Op, x: Known, target: Shape): Known {
  if (x.tensor.data.length === 1)
    return { kind: 'known', shape: target, tensor: { ...x.tensor, shape: target.map(() => 1) } }
  const tensor = materialize(x, op.graph.spend)
  return known({ ...tensor, shape: target.map(Number) })
}

/**
 * The view under which the axes of a value make the target's: merged, or with ones moved; null
 * where one would be cut.
 */
function regroup({ view }: Live, graphShape: Shape, target: Shape): Live['view'] | null {
  const atoms = view.flat()
  const groups: number[][] = []
  let next = 0
  for (const extent of target) {
    const group: number[] = []
    // An extent of 1 takes an axis of extent 1 if there is one, so that merged axes are split
    // again.
    while (
      next < atoms.length &&
      String(product(group.map((axis) => graphShape[axis]))) !== String(extent)
    ) {
      group.push(atoms[next++])
    }
    if (String(product(group.map((axis) => graphShape[axis]))) !== String(extent)) return null
    groups.push(group)
  }
  // Axes of extent 1 that are left over are in no group any more.
  return atoms.slice(next).every((axis) => graphShape[axis] === 1) ? groups : null
}

/**
 * Merges an axis of directions with the units behind it, as both exporters of PyTorch write it.
 */
function reshapeStack(op: Op, stack: Stack, target: Shape): Value | null {
  const shape = op.graph.extentsOf(stack)
  const { axis } = stack
  if (axis + 1 >= shape.length) return null
  const merged = [
    ...shape.slice(0, axis),
    product(shape.slice(axis, axis + 2)),
    ...shape.slice(axis + 2),
  ]
  if (String(merged) !== String(target)) return null
  const parts = stack.parts.map((part) => dropAxes(op, part, [axis]))
  return concat(op, parts, axis)
}

function expand(op: Op, x: Value, given: Shape): Value {
  const { graph } = op
  const from = graph.extentsOf(x)
  const shape = broadcastShapes([from, given])
  if (shape === null) {
    const rank = Math.max(from.length, given.length)
    const at = (list: Shape, axis: number): Dim => list[axis - rank + list.length] ?? 1
    for (let axis = 0; axis < rank; axis++) {
      const [a, b] = [at(from, axis), at(given, axis)]
      if (a !== 1 && b !== 1 && !graph.symbols.unify(a, b))
        throw graph.misfit(`this cannot be expanded to [${given.join(', ')}]`, x)
    }
    return x
  }
  if (x.kind === 'known') return { ...withRank(x, shape.length), shape }
  if (x.kind === 'extents') {
    if (x.entries.length === 1 && shape.length === 1 && Number(shape[0]) <= 32)
      return { ...x, shape: shape.map(Number), entries: Array(Number(shape[0])).fill(x.entries[0]) }
    return binary(graph, 'multiply', x, x)
  }
  if (String(from) === String(shape)) return x
  const live = graph.live(x)
  if (from.length === shape.length && shape.every((extent, axis) => extent === from[axis]))
    return live
  const lead = shape.length - live.view.length
  const padded = unsqueeze(
    live,
    Array.from({ length: lead }, (_, axis) => axis),
  ) as Live
  const value = graph.apply({ kind: 'expand', shape }, graph.layOut(padded))
  return { ...live, value, view: shape.map((_, axis) => [axis]) }
}
