/**
 * Tells models apart by their graph and their trained numbers, so that a state is never read under
 * another model: docs/state.md.
 */

import type { Model } from '../../model/types.ts'
import { Fnv1a64 } from '../plan/hash.ts'

/**
 * FNV-1a over the canonical JSON of the graph, then over every trained number as float64, its four
 * units of 16 bits from the lowest; [low, high]. Where a convention came from, and how numbers were stored, says
 * nothing about what the model computes and is left out.
 */
export function fingerprintOf({ inputs, outputs, nodes }: Model): Int32Array {
  const hash = new Fnv1a64()
  const arrays: ArrayLike<number>[] = []
  const plain = (key: string, value: unknown): unknown => {
    if (key === 'conventions') return undefined
    if (typeof value === 'number' && !Number.isFinite(value)) return String(value)
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
    if ('data' in value && ArrayBuffer.isView(value.data)) {
      const { shape, data } = value as unknown as { shape: unknown; data: Float64Array }
      arrays.push(data)
      return shape
    }
    return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
  }
  hash.addText(JSON.stringify({ inputs, outputs, nodes }, plain))
  const number = new Float64Array(1)
  const units = new Uint16Array(number.buffer)
  for (const data of arrays) {
    for (let i = 0; i < data.length; i++) {
      number[0] = data[i]
      for (let u = 0; u < 4; u++) hash.add(units[u])
    }
  }
  return Int32Array.of(hash.low, hash.high)
}
