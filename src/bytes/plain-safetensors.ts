/**
 * safetensors as most files are, for pages: read in a few lines, or not at all. Whatever is unusual
 * or wrong is for the whole reader (`safetensors.ts`), which knows every rule and every message.
 */

import { type Named, sizeOf, type Tensor } from '../tensor.ts'

export interface PlainSafetensors {
  readonly metadata: Named<string>
  readonly tensors: Named<Tensor>
}

/** Of the types that most weights have. */
const arrays = { F32: Float32Array, F64: Float64Array } as const

const littleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1

const LENGTH_BYTES = 8
const MOST_AXES = 64

/** What `readSafetensors` gives; null where that has to look. */
export function readPlainSafetensors(bytes: Uint8Array): PlainSafetensors | null {
  if (bytes.length < LENGTH_BYTES || !littleEndian) return null
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let at = LENGTH_BYTES + Number(view.getBigUint64(0, true))
  const start = at
  if (start > bytes.length) return null
  const header = plainJson(bytes.subarray(LENGTH_BYTES, start))
  if (header === null) return null
  const { __metadata__: metadata = {}, ...entries } = header
  if (!Object.values(metadata).every((value) => typeof value === 'string')) return null
  const tensors: [string, Tensor][] = []
  for (const [name, { dtype, shape, data_offsets: offsets }] of Object.entries(entries)) {
    if (!(isCounts(shape) && isCounts(offsets) && Object.hasOwn(arrays, dtype))) return null
    const Numbers = arrays[dtype as keyof typeof arrays]
    const end = at + sizeOf(shape) * Numbers.BYTES_PER_ELEMENT
    const inPlace = offsets.length === 2 && offsets[0] === at - start && offsets[1] === end - start
    if (!inPlace || end > bytes.length) return null
    // A copy is aligned, whatever the place in the file.
    const data = new Numbers(new Uint8Array(bytes.subarray(at, end)).buffer)
    tensors.push([name, { shape, data, dtype: dtype === 'F32' ? 'float32' : 'float64' }])
    at = end
  }
  return at === bytes.length ? { metadata, tensors: Object.fromEntries(tensors) } : null
}

interface Entry {
  readonly dtype: string
  readonly shape: unknown
  readonly data_offsets: unknown
}

type Header = { readonly __metadata__?: Named<string> } & Named<Entry>

/** JSON that says the same when it is written again: so no key comes twice. */
function plainJson(bytes: Uint8Array): Header | null {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes).trimEnd()
    const value = JSON.parse(text)
    return JSON.stringify(value) === text ? value : null
  } catch {
    return null
  }
}

function isCounts(value: unknown): value is readonly number[] {
  return (
    Array.isArray(value) &&
    value.length <= MOST_AXES &&
    value.every((each) => Number.isSafeInteger(each) && each >= 0)
  )
}
