/**
 * Emits the vector code that kernels are made of, into a function that is being written.
 *
 * Units come in groups of four: one vector of float32, or two of float64. What works lane by lane is
 * written for a vector and knows neither. A writer leaves its result on the stack; a number that is
 * used twice is held in a local.
 */

import type { ElementwiseKind } from '../../../model/activation/activations.ts'
import { LANES } from '../../plan/types.ts'
import type { FunctionBody, Local, Operand, Value } from '../assembler/module.ts'
import type { Target } from '../target.ts'
import type { Pool } from './pool.ts'

export type Elementary = (k: Emitter, x: Vector) => Result

/** φ(a) for the parameters that an activation has. */
export type ActivationWriter = (k: Emitter, a: Vector, parameters: readonly number[]) => Result

/** What float32 and float64 do not share; `math32.ts` and `math64.ts` have one each. */
export interface Arithmetic {
  readonly family: 'f32x4' | 'f64x2'
  readonly splat: 'load32_splat' | 'load64_splat'
  /** Bytes of a number. */
  readonly bytes: 4 | 8
  /** Bytes of a group of four units, and the vectors it takes. */
  readonly group: 16 | 32
  readonly parts: 1 | 2
  /** A number's bits, as the words of a vector: they are repeated until it is full. */
  readonly words: (value: number) => readonly [number, number]
  readonly elementary: Readonly<Record<'exp' | 'sigmoid' | 'tanh', Elementary>>
  readonly activations: Readonly<Partial<Record<ElementwiseKind, ActivationWriter>>>
}

/** A target, an arithmetic, and the memory for constants if that is where they stand. */
export interface CodegenConfig extends Target, Arithmetic {
  readonly pool: Pool | null
}

/** The instructions that kernels are written in, whatever the precision. */
type Float = Pick<
  FunctionBody['f32x4'] & FunctionBody['f64x2'],
  | ('abs' | 'neg' | 'sqrt' | 'eq' | 'ne' | 'lt' | 'le')
  | ('add' | 'sub' | 'mul' | 'div' | 'min' | 'max' | 'pmin' | 'pmax')
  | ('relaxed_madd' | 'relaxed_nmadd')
>

/** A function that is being written, and how. */
export interface Emitter extends CodegenConfig {
  readonly f: FunctionBody & { readonly float: Float }
}

export function createEmitter(config: CodegenConfig, f: FunctionBody): Emitter {
  return { ...config, f: { ...f, float: f[config.family] } }
}

/** Bytes of a vector. */
export const VECTOR = 16

export type Vector = Local<'v128'>
export type Pointer = Local<'i32'>
export type Result = Value<'v128'>

/** One number in all lanes, rounded to the precision. */
export function splat(k: Emitter, value: number): Result {
  return splatBits(k, ...k.words(value))
}

/** The same 32 bits in all words of a vector, or the same 64, low word first. */
export function splatBits({ f, pool }: Emitter, low: number, high = low): Result {
  const address = pool?.addressOf(low, high) ?? null
  if (address !== null) return f.v128.load(address, 0)
  return f.v128.const([low, high, low, high])
}

export function toLocal({ f }: Emitter, value: Operand<'v128'>): Vector {
  const local = f.local('v128')
  f.local.set(local, value)
  return local
}

/** a·b + c */
export function madd(
  k: Emitter,
  a: Operand<'v128'>,
  b: Operand<'v128'>,
  c: Vector | number,
): Result {
  const { float } = k.f
  const last = (): Operand<'v128'> => (typeof c === 'number' ? splat(k, c) : c)
  if (k.fused) return float.relaxed_madd(a, b, last())
  const product = float.mul(a, b)
  return float.add(product, last())
}

/** c − a·b */
export function nmadd(k: Emitter, a: Vector, b: number, c: Vector): Result {
  const { float } = k.f
  if (k.fused) return float.relaxed_nmadd(a, splat(k, b), c)
  return float.sub(c, float.mul(a, splat(k, b)))
}

/** c[0] + c[1]·x + c[2]·x² … by Horner's rule. */
export function polynomial(k: Emitter, x: Vector, coefficients: readonly number[]): Result {
  const last = coefficients.length - 1
  let sum = splat(k, coefficients[last])
  for (let i = last - 1; i >= 0; i--) sum = madd(k, sum, x, coefficients[i])
  return sum
}

/** Limits to low … high. NaN stays: pmin(a, b) is `b < a ? b : a`, so the number comes first. */
export function clamp(k: Emitter, x: Operand<'v128'>, low: number, high: number): Result {
  const { float } = k.f
  return float.pmax(float.pmin(x, splat(k, high)), splat(k, low))
}

/** `count` times, which is known while writing. */
export function repeat({ f }: Emitter, count: number, body: () => void): void {
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

/** As often as a local says, at least once. */
export function repeatFor(k: Emitter, count: Pointer, body: () => void): void {
  const { f } = k
  const left = pointer(k, count)
  f.loop((next) => {
    body()
    f.br_if(next, f.local.tee(left, f.i32.sub(left, 1)))
  })
}

export function advance({ f }: Emitter, pointer: Pointer, bytes: number): void {
  if (bytes !== 0) f.local.set(pointer, f.i32.add(pointer, bytes))
}

/** A pointer of its own that starts at `from` + bytes. */
export function pointer({ f }: Emitter, from: Pointer, bytes = 0): Pointer {
  const local = f.local('i32')
  f.local.set(local, bytes === 0 ? from : f.i32.add(from, bytes))
  return local
}

/** A pointer into the weights. */
export function address({ bytes, f }: Emitter, offset: number): Pointer {
  const local = f.local('i32')
  f.local.set(local, bytes * offset)
  return local
}

/** Copies whole groups of numbers from one place to another that does not overlap. */
export function copyNumbers(k: Emitter, to: Pointer, from: Pointer, count: number): void {
  const { v128 } = k.f
  const vectors = (count / LANES) * k.parts
  const [target, source] = [pointer(k, to), pointer(k, from)]
  const moving = [target, source].map((each) => [each, VECTOR] as const)
  inEvenParts(k, vectors, 8, moving, (size) => {
    for (let i = 0; i < size; i++) v128.store(VECTOR * i, target, v128.load(VECTOR * i, source))
  })
}

/** A sum for each of several inputs, and where their weights lie in a row. */
export interface Sum {
  readonly accs: readonly Vector[]
  readonly offset: number
}

/**
 * So many rows, and the weights of a layer come from the second cache: a turn of twice as many is
 * 5 % faster there for one input, and code not worth its size below.
 */
const LONG = 64

/**
 * acc = (…((acc + w[0]·x[0]) + w[1]·x[1])…) for all sums and inputs at once: a weight that was loaded
 * serves all of them. Row i lies at `w + i·stride`. Moves the pointers behind the last row.
 */
export function accumulate(
  k: Emitter,
  sums: readonly Sum[],
  w: Pointer,
  stride: number,
  xs: readonly Pointer[],
  rows: number,
): void {
  const { bytes, f, unroll } = k
  const { local, v128 } = f
  const splats = xs.map(() => local('v128'))
  const weight = local('v128')
  const several = (count: number): void => {
    for (let i = 0; i < count; i++) {
      xs.forEach((x, m) => local.set(splats[m], v128[k.splat](bytes * i, x)))
      for (const { accs, offset } of sums) {
        local.set(weight, v128.load(offset + i * stride, w))
        accs.forEach((acc, m) => local.set(acc, madd(k, weight, splats[m], acc)))
      }
    }
    advance(k, w, count * stride)
    for (const x of xs) advance(k, x, bytes * count)
  }
  const long = unroll > 1 && xs.length === 1 && rows >= LONG
  const turn = long ? 2 * unroll : unroll
  const turns = Math.floor(rows / turn)
  if (turns > 0) {
    const end = pointer(k, xs[0], bytes * turn * turns)
    f.loop((top) => {
      several(turn)
      f.br_if(top, f.i32.ne(xs[0], end))
    })
  }
  several(rows - turns * turn)
}

/** Runs over groups in parts of at most `most`, as even as can be: 17 by 4 makes 2 of 4 and 3 of 3. */
export function inEvenParts(
  k: Emitter,
  groups: number,
  most: number,
  pointers: readonly (readonly [Pointer, bytesPerGroup: number])[],
  body: (size: number) => void,
): void {
  const parts = Math.ceil(groups / most)
  const size = Math.floor(groups / parts)
  const larger = groups % parts
  for (const [count, width] of [
    [larger, size + 1],
    [parts - larger, size],
  ]) {
    if (count === 0) continue
    repeat(k, count, () => {
      body(width)
      for (const [each, bytes] of pointers) advance(k, each, width * bytes)
    })
  }
}
