/**
 * `TextDecoder` where the host has none: audio worklets. The build puts it in the place of the
 * global one in `gruv/core`.
 */

/** UTF-8 and Latin-1, as far as readers use it. */
class PlainTextDecoder {
  private readonly encoding: string
  private readonly fatal: boolean

  constructor(encoding = 'utf-8', { fatal = false }: { readonly fatal?: boolean } = {}) {
    this.encoding = encoding
    this.fatal = fatal
  }

  /** @throws URIError for bytes that are not UTF-8, where they are fatal; else they are Latin-1. */
  decode(bytes: Uint8Array): string {
    const latin = Array.from(bytes, (byte) => String.fromCharCode(byte)).join('')
    if (this.encoding === 'latin1') return latin
    try {
      return decodeURIComponent(latin.replace(/./gs, escaped))
    } catch (error) {
      if (this.fatal) throw error
      return latin
    }
  }
}

function escaped(byte: string): string {
  return `%${byte.charCodeAt(0).toString(16).padStart(2, '0')}`
}

const decoder: new (
  encoding?: string,
  options?: { readonly fatal?: boolean },
) => { decode(bytes: Uint8Array): string } = globalThis.TextDecoder ?? PlainTextDecoder

export { decoder as TextDecoder, PlainTextDecoder }
