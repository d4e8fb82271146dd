/** What a probe has seen, and what of it the table says. */

import { expect } from 'vitest'

export interface SeenFile {
  readonly exact: 'wasm' | 'js'
  readonly usual: 'wasm' | 'js'
  readonly simd: 'relaxed' | 'simd128' | undefined
  readonly predicted: string
  readonly streamed: string
  /** Of a state's record. */
  readonly record: string
  readonly off: number
}

export type Seen = Readonly<Record<string, SeenFile>>

/** The last line that is a probe's: test runners print around it. */
export function parseSeen(printed: string): Seen {
  const line = printed.split('\n').findLast((each) => each.startsWith('{"'))
  if (line === undefined) throw new Error(`the probe printed nothing: ${printed.slice(-2000)}`)
  return JSON.parse(line)
}

/** Twenty steps of states within ±1: a unit in the last place of float32, for each of some hundred roundings. */
const FUSED = 100 * 2 ** -24

/** The engine of a program with no options, in words; deterministic bits are those expected. */
export function engineIn(seen: Seen, expected: Seen): string {
  expect(Object.keys(seen)).toEqual(Object.keys(expected))
  const engines = Object.entries(seen).map(([name, file]) => {
    expect([file.predicted, file.streamed, file.record], name).toEqual([
      expected[name].predicted,
      expected[name].predicted,
      expected[name].record,
    ])
    expect(file.off, name).toBeLessThan(FUSED)
    expect(file.exact, name).toBe(file.usual)
    if (file.usual === 'js') return 'JavaScript'
    return file.simd === 'relaxed' ? 'WebAssembly, fused' : 'WebAssembly'
  })
  expect(new Set(engines).size, engines.join()).toBe(1)
  return engines[0]
}
