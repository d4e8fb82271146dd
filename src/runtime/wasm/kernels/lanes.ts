/**
 * What kernels write with: a function that is being written, and how it multiplies and adds.
 *
 * Four lanes of float32 hold four units. A writer leaves its result on the stack; a number that is
 * used twice is held in a local.
 */

import type { FunctionBody, Local, Operand, Value } from '../assembler.ts'
import type { Pool } from './pool.ts'

/** What the code is written for. */
export interface Target {
  /** Products and sums in one rounding, where the machine can; else in two, as JavaScript does. */
  readonly fused: boolean
  /** Vectors of units a kernel sums up at a time, for one input and for two at once. */
  readonly vectors: number
  readonly pairVectors: number
  /** Rows of weights for each turn of a loop. */
  readonly unroll: number
  /** Where numbers that are known while writing stand. */
  readonly constants: 'code' | 'memory'
}

/** A target, and the memory for constants if that is where they stand. */
export interface Style extends Target {
  readonly pool: Pool | null
}

/** A function of these. */
export interface Lanes extends Style {
  readonly f: FunctionBody
}

export type Vector = Local<'v128'>
export type Pointer = Local<'i32'>
export type Result = Value<'v128'>

/** One number in all lanes, rounded to float32. */
export function all(k: Lanes, value: number): Result {
  return allBits(k, new Int32Array(Float32Array.of(value).buffer)[0])
}

/** The same 32 bits in all lanes. */
export function allBits({ f, pool }: Lanes, bits: number): Result {
  const address = pool?.addressOf(bits) ?? null
  return address === null ? f.v128.const('i32x4', bits) : f.v128.load(address, 0)
}

export function hold({ f }: Lanes, value: Operand<'v128'>): Vector {
  const local = f.local('v128')
  f.local.set(local, value)
  return local
}

/** a·b + c */
export function madd(k: Lanes, a: Operand<'v128'>, b: Operand<'v128'>, c: Vector | number): Result {
  const { f32x4 } = k.f
  const last = (): Operand<'v128'> => (typeof c === 'number' ? all(k, c) : c)
  if (k.fused) return f32x4.relaxed_madd(a, b, last())
  const product = f32x4.mul(a, b)
  return f32x4.add(product, last())
}

/** c − a·b */
export function nmadd(k: Lanes, a: Vector, b: number, c: Vector): Result {
  const { f32x4 } = k.f
  if (k.fused) return f32x4.relaxed_nmadd(a, all(k, b), c)
  return f32x4.sub(c, f32x4.mul(a, all(k, b)))
}

/** c[0] + c[1]·x + c[2]·x² … by Horner's rule. */
export function polynomial(k: Lanes, x: Vector, coefficients: readonly number[]): Result {
  const last = coefficients.length - 1
  let sum = all(k, coefficients[last])
  for (let i = last - 1; i >= 0; i--) sum = madd(k, sum, x, coefficients[i])
  return sum
}

/** Limits to low … high. NaN stays: pmin(a, b) is `b < a ? b : a`, so the number comes first. */
export function clamp(k: Lanes, x: Operand<'v128'>, low: number, high: number): Result {
  const { f32x4 } = k.f
  return f32x4.pmax(f32x4.pmin(x, all(k, high)), all(k, low))
}

/** `count` times, which is known while writing. */
export function repeat({ f }: Lanes, count: number, body: () => void): void {
  if (count === 1) {
    body()
    return
  }
  const left = f.local('i32')
  f.local.set(left, count)
  f.loop((top) => {
    body()
    f.br_if(top, f.local.tee(left, f.i32.sub(left, 1)))
  })
}

export function advance({ f }: Lanes, pointer: Pointer, bytes: number): void {
  if (bytes !== 0) f.local.set(pointer, f.i32.add(pointer, bytes))
}

/** A pointer of its own that starts at `from` + bytes. */
export function pointer({ f }: Lanes, from: Pointer, bytes = 0): Pointer {
  const local = f.local('i32')
  f.local.set(local, bytes === 0 ? from : f.i32.add(from, bytes))
  return local
}

/** Copies whole vectors from one place to another that does not overlap. */
export function copyVectors(k: Lanes, to: Pointer, from: Pointer, vectors: number): void {
  const { v128 } = k.f
  const copy = (i: number): void => v128.store(16 * i, to, v128.load(16 * i, from))
  if (vectors <= 8) {
    for (let i = 0; i < vectors; i++) copy(i)
    return
  }
  const [source, target] = [pointer(k, from), pointer(k, to)]
  repeat(k, vectors, () => {
    v128.store(0, target, v128.load(0, source))
    advance(k, source, 16)
    advance(k, target, 16)
  })
}

/** A sum in four lanes, and where its weights lie in a row. */
export interface Sum {
  readonly acc: Vector
  readonly offset: number
}

/**
 * acc = (…((acc + w[0]·x[0]) + w[1]·x[1])…) for all sums at once; row i lies at `w + i·stride`.
 * Moves both pointers behind the last row.
 */
export function accumulate(
  k: Lanes,
  sums: readonly Sum[],
  w: Pointer,
  stride: number,
  x: Pointer,
  rows: number,
): void {
  const each = sums.map(({ acc, offset }) => ({ accs: [acc], offset }))
  accumulateMany(k, each, w, stride, [x], rows)
}

/** A sum for each of several inputs, with the same weights. */
export interface Sums {
  readonly accs: readonly Vector[]
  readonly offset: number
}

/** The same for several inputs at once: a weight that was loaded serves all of them. */
export function accumulateMany(
  k: Lanes,
  sums: readonly Sums[],
  w: Pointer,
  stride: number,
  xs: readonly Pointer[],
  rows: number,
): void {
  const { f, unroll } = k
  const { local, v128 } = f
  const splats = xs.map(() => local('v128'))
  const shared = xs.length > 1 ? local('v128') : null
  const several = (count: number): void => {
    for (let i = 0; i < count; i++) {
      xs.forEach((x, m) => local.set(splats[m], v128.load32_splat(4 * i, x)))
      for (const { accs, offset } of sums) {
        const weight = (): Result => v128.load(offset + i * stride, w)
        if (shared === null) local.set(accs[0], madd(k, weight(), splats[0], accs[0]))
        else {
          local.set(shared, weight())
          accs.forEach((acc, m) => local.set(acc, madd(k, shared, splats[m], acc)))
        }
      }
    }
    advance(k, w, count * stride)
    for (const x of xs) advance(k, x, 4 * count)
  }
  const turns = Math.floor(rows / unroll)
  if (turns > 0) {
    if (turns === 1) several(unroll)
    else {
      const end = pointer(k, xs[0], 4 * unroll * turns)
      f.loop((top) => {
        several(unroll)
        f.br_if(top, f.i32.ne(xs[0], end))
      })
    }
  }
  several(rows - turns * unroll)
}

/** Vectors in blocks of at most `most`, as even as can be: 17 by 4 makes 2 of 4 and 3 of 3. */
export function overBlocks(
  k: Lanes,
  vectors: number,
  most: number,
  pointers: readonly (readonly [Pointer, bytesPerVector: number])[],
  body: (size: number) => void,
): void {
  const blocks = Math.ceil(vectors / most)
  const size = Math.floor(vectors / blocks)
  const larger = vectors % blocks
  for (const [count, width] of [
    [larger, size + 1],
    [blocks - larger, size],
  ]) {
    if (count === 0) continue
    repeat(k, count, () => {
      body(width)
      for (const [each, bytes] of pointers) advance(k, each, width * bytes)
    })
  }
}
