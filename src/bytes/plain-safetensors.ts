/**
 * safetensors as most files are, for pages: read in a few lines, or not at all. Whatever is unusual
 * or wrong is for the whole reader (`safetensors.ts`), which knows every rule and every message.
 */

import type { Named, Tensor } from '../tensor.ts'

export interface PlainSafetensors {
  readonly metadata: Named<string>
  readonly tensors: Named<Tensor>
}

/** Of the types that most weights have. */
const types: Readonly<
  Record<string, readonly ['float32' | 'float64', typeof Float32Array | typeof Float64Array]>
> = { F32: ['float32', Float32Array], F64: ['float64', Float64Array] }

const littleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1

const LENGTH_BYTES = 8
const MOST_AXES = 64

interface Entry {
  readonly dtype: string
  readonly shape: readonly number[]
  readonly data_offsets: readonly number[]
}

type Header = { readonly __metadata__?: Named<string> } & Named<Entry>

/** What `readSafetensors` gives; throws where that has to look. */
export function readPlainSafetensors(bytes: Uint8Array): PlainSafetensors {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let at = LENGTH_BYTES + Number(view.getBigUint64(0, true))
  const start = at
  const decoder = new TextDecoder('utf-8', { fatal: true })
  const text = decoder.decode(bytes.subarray(LENGTH_BYTES, start))
  const header: Header = JSON.parse(text)
  // What says the same when it is written again has no key twice.
  plain(littleEndian && start <= bytes.length && JSON.stringify(header) === text.trimEnd())
  const { __metadata__: metadata = {}, ...entries } = header
  plain(Object.values(metadata).every((value) => typeof value === 'string'))
  const tensors = Object.entries(entries).map(([name, { dtype, shape, data_offsets }]) => {
    plain(Object.hasOwn(types, dtype) && shape.length <= MOST_AXES && shape.every(isCount))
    const [type, Numbers] = types[dtype]
    const end = shape.reduce((size, extent) => size * extent, Numbers.BYTES_PER_ELEMENT) + at
    plain(end <= bytes.length && isSame(data_offsets, [at - start, end - start]))
    // A copy is aligned, whatever the place in the file.
    const data = new Numbers(new Uint8Array(bytes.subarray(at, end)).buffer)
    at = end
    return [name, { shape, data, dtype: type }] as const
  })
  plain(at === bytes.length)
  return { metadata, tensors: Object.fromEntries(tensors) }
}

function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

/** Otherwise the whole reader has to look. */
function plain(condition: boolean): void {
  if (!condition) throw new Error('not plain')
}
