/**
 * Measures upper bounds: WebAssembly loops that do the multiply-adds of a step and nothing else,
 * with twelve sums, so that no addition waits for another.
 *
 * A *roof* loads each weight once, as a step of a single row must: it bounds streams. A *peak*
 * loads nothing, its operands stay in registers: it bounds sequences and batches, where a weight
 * that is loaded can serve several times. Both are counted for as many weights as the layer has.
 */

import type { Layer } from './layer.ts'
import { leb } from './leb.ts'

export interface Roof {
  readonly name: `${'roof' | 'peak'}-${'fused' | 'plain'}`
  run(calls: number): void
}

/** Fused where the engine has relaxed SIMD, and plain multiply and add. */
export function roofs(kind: 'roof' | 'peak', { kernel, recurrentKernel }: Layer): Roof[] {
  const bytes = kernel.byteLength + recurrentKernel.byteLength
  const usable = bytes - (bytes % TURN)
  return ([true, false] as const).flatMap((fused) => {
    const code = moduleBytes(kind, fused, Math.ceil(bytes / PAGE))
    if (!WebAssembly.validate(code)) return []
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(code))
    const { memory, sweep } = exports as { memory: WebAssembly.Memory; sweep: Sweep }
    // Memory that was never written is one page of zeros, always in the first cache.
    const weights = new Float32Array(memory.buffer)
    weights.set(kernel)
    weights.set(recurrentKernel, kernel.length)
    return [
      {
        name: `${kind}-${fused ? 'fused' : 'plain'}`,
        run(calls) {
          let sum = 0
          for (let i = 0; i < calls; i++) sum += sweep(0, usable)
          if (Number.isNaN(sum)) throw new Error('the roof fell in')
        },
      },
    ] satisfies Roof[]
  })
}

type Sweep = (from: number, to: number) => number

const PAGE = 65536
const VECTORS = 12
const TURN = 16 * VECTORS

/**
 *     (func (export "sweep") (param $p i32) (param $end i32) (result f32)
 *       (local $x v128) (local $acc0 v128) … (local $acc11 v128)
 *       (local.set $x (f32x4.splat (f32.const 1)))
 *       (loop
 *         (local.set $acc0 (f32x4.relaxed_madd (v128.load offset=0 (local.get $p)) (local.get $x) (local.get $acc0)))
 *         …
 *         (br_if 0 (i32.ne (local.tee $p (i32.add (local.get $p) (i32.const 192))) (local.get $end))))
 *       (f32x4.extract_lane 0 (f32x4.add … $acc0 … $acc11)))
 *
 * In a peak each sum takes the place of its weight: $acc0 = $acc0 · $x + $x. A product of $x alone
 * would be taken out of the loop.
 */
function moduleBytes(
  kind: 'roof' | 'peak',
  fused: boolean,
  pages: number,
): Uint8Array<ArrayBuffer> {
  const [p, end, x, acc] = [0, 1, 2, 3]
  const get = (local: number): number[] => [0x20, local]
  const set = (local: number): number[] => [0x21, local]
  const factor = (i: number): number[] =>
    kind === 'peak' ? get(acc + i) : [...get(p), 0xfd, 0x00, 4, ...leb(16 * i)]
  const summand = (i: number): number[] => get(kind === 'peak' ? x : acc + i)
  const add = [0xfd, ...leb(0xe4)]
  const each = Array.from({ length: VECTORS }, (_, i) => i)
  const madd = (i: number): number[] =>
    fused
      ? [...factor(i), ...get(x), ...summand(i), 0xfd, ...leb(0x105)]
      : [...factor(i), ...get(x), 0xfd, ...leb(0xe6), ...summand(i), ...add]
  const body = [
    ...[1, 1 + VECTORS, 0x7b],
    ...[0x43, 0, 0, 0x80, 0x3f, 0xfd, 0x13, ...set(x)],
    ...[0x03, 0x40],
    ...each.flatMap((i) => [...madd(i), ...set(acc + i)]),
    ...[...get(p), 0x41, ...signedLeb(TURN), 0x6a, 0x22, p, ...get(end), 0x47, 0x0d, 0],
    0x0b,
    ...get(acc),
    ...each.slice(1).flatMap((i) => [...get(acc + i), ...add]),
    ...[0xfd, 0x1f, 0, 0x0b],
  ]
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [1, 0x60, 2, 0x7f, 0x7f, 1, 0x7d]),
    ...section(3, [1, 0]),
    ...section(5, [1, 0, ...leb(pages)]),
    ...section(7, [2, ...name('memory'), 2, 0, ...name('sweep'), 0, 0]),
    ...section(10, [1, ...leb(body.length), ...body]),
  ])
}

function section(id: number, content: readonly number[]): number[] {
  return [id, ...leb(content.length), ...content]
}

function name(text: string): number[] {
  return [text.length, ...new TextEncoder().encode(text)]
}

/** Of a number from 64 to 8191: its seventh bit would read as a sign. */
function signedLeb(value: number): number[] {
  return [(value & 127) | 128, value >>> 7]
}
