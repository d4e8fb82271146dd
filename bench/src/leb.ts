/** LEB128 of an unsigned number, as WebAssembly and protocol buffers write it. */

export function leb(value: number): number[] {
  const out: number[] = []
  for (; value > 127; value >>>= 7) out.push((value & 127) | 128)
  return [...out, value]
}
