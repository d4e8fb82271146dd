/** Layers that work element by element, with NumPy's broadcasting. */

import type { BinaryNode, UnaryNode } from '../../model/types.ts'
import { type Named, sizeOf } from '../../tensor.ts'
import { erf64, exp64, log64 } from '../js/math64.ts'
import { type Block, broadcastStrides, readStrided, zeros } from './strides.ts'

const binaryOps: Readonly<Record<BinaryNode['op'], (a: number, b: number) => number>> = {
  add: (a, b) => a + b,
  subtract: (a, b) => a - b,
  multiply: (a, b) => a * b,
  divide: (a, b) => a / b,
  power,
  maximum: (a, b) => Math.max(a, b),
  minimum: (a, b) => Math.min(a, b),
  modulo,
  greater: (a, b) => (a > b ? 1 : 0),
  greaterOrEqual: (a, b) => (a >= b ? 1 : 0),
  less: (a, b) => (a < b ? 1 : 0),
  lessOrEqual: (a, b) => (a <= b ? 1 : 0),
  equal: (a, b) => (a === b ? 1 : 0),
  and: (a, b) => (a !== 0 && b !== 0 ? 1 : 0),
  or: (a, b) => (a !== 0 || b !== 0 ? 1 : 0),
  xor: (a, b) => ((a !== 0) !== (b !== 0) ? 1 : 0),
}

const unaryOps: Readonly<Record<UnaryNode['op'], (x: number) => number>> = {
  abs: (x) => Math.abs(x),
  negative: (x) => -x,
  reciprocal: (x) => 1 / x,
  sqrt: (x) => Math.sqrt(x),
  exp: exp64,
  log: log64,
  sin: (x) => Math.sin(x),
  cos: (x) => Math.cos(x),
  erf: erf64,
  floor: (x) => Math.floor(x),
  ceil: (x) => Math.ceil(x),
  round,
  sign: (x) => (x > 0 ? 1 : x < 0 ? -1 : x),
  not: (x) => (x === 0 ? 1 : 0),
}

/** As C and IEEE 754 have it: JavaScript alone finds 1^NaN and (±1)^∞ to be NaN. */
function power(a: number, b: number): number {
  return a === 1 || (a === -1 && Math.abs(b) === Infinity) ? 1 : a ** b
}

/** a − ⌊a/b⌋·b, with the sign of b. */
function modulo(a: number, b: number): number {
  const rest = a % b
  return rest !== 0 && rest < 0 !== b < 0 ? rest + b : rest
}

/** Halves to the even neighbour. */
function round(x: number): number {
  const below = Math.floor(x)
  const past = x - below
  return past < 0.5 || (past === 0.5 && below % 2 === 0) ? below : Math.ceil(x)
}

export function binary(node: BinaryNode, { a, b }: Named<Block>, shape: readonly number[]) {
  const op = binaryOps[node.op]
  const p = widened(node.name, a, shape)
  const q = widened(node.name, b, shape)
  const y = zeros(node.name, shape)
  // A lone number is not spread out first.
  const [stepP, stepQ] = [p.length === 1 ? 0 : 1, q.length === 1 ? 0 : 1]
  for (let i = 0; i < y.length; i++) y[i] = op(p[i * stepP], q[i * stepQ])
  return y
}

export function unary(node: UnaryNode, { x }: Named<Block>): Float64Array {
  const op = unaryOps[node.op]
  const y = new Float64Array(x.data.length)
  for (let i = 0; i < y.length; i++) y[i] = op(x.data[i])
  return y
}

export function where(
  node: { readonly name: string },
  { condition, a, b }: Named<Block>,
  shape: readonly number[],
): Float64Array {
  const [c, p, q] = [condition, a, b].map((block) => widened(node.name, block, shape))
  const [stepC, stepP, stepQ] = [c, p, q].map(({ length }) => (length === 1 ? 0 : 1))
  const y = zeros(node.name, shape)
  for (let i = 0; i < y.length; i++) y[i] = c[i * stepC] !== 0 ? p[i * stepP] : q[i * stepQ]
  return y
}

/** The numbers spread over the shape; as they are where that changes nothing, or for a lone one. */
function widened(where: string, { shape, data }: Block, wide: readonly number[]): Float64Array {
  if (data.length === 1 || data.length === sizeOf(wide)) return data
  return readStrided(data, 0, wide, broadcastStrides(shape, wide), zeros(where, wide))
}
