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

interface Entry {
  readonly dtype: string
  readonly shape: readonly number[]
}

type Header = { readonly __metadata__?: Named<string> } & Named<Entry>

const LENGTH_BYTES = 8
const MOST_AXES = 64

/** What `readSafetensors` gives; throws where that has to look. */
export function readPlainSafetensors(bytes: Uint8Array): PlainSafetensors {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let at = LENGTH_BYTES + Number(view.getBigUint64(0, true))
  const start = at
  const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(LENGTH_BYTES, start))
  const { __metadata__, ...entries }: Header = JSON.parse(text)
  const metadata = asTexts(__metadata__ ?? {})
  const said: Record<string, object> = __metadata__ ? { __metadata__: metadata } : {}
  const tensors = Object.entries(entries).map(([name, { dtype, shape }]) => {
    const [type, Numbers] = types[dtype]
    const extents = shape.slice(0, MOST_AXES).map((extent) => extent >>> 0)
    const from = at
    at += extents.reduce((size, extent) => size * extent, Numbers.BYTES_PER_ELEMENT)
    said[name] = { dtype, shape: extents, data_offsets: [from - start, at - start] }
    // A copy is aligned, whatever the place in the file.
    const data = new Numbers(new Uint8Array(bytes.subarray(from, at)).buffer)
    return [name, { shape, data, dtype: type }] as const
  })
  const littleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1
  // What says the same when it is written again is of these types, and has no key more or twice.
  plain(littleEndian && at === bytes.length && JSON.stringify(said) === text.trimEnd())
  return { metadata, tensors: Object.fromEntries(tensors) }
}

/** The same values if they are strings, else others. */
export function asTexts(values: Named<string>): Named<string> {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, `${value}`]))
}

/** Otherwise the whole reader has to look. */
export function plain(condition: boolean): void {
  if (!condition) throw new Error('not plain')
}
