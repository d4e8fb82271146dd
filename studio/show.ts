/** Formats numbers and shapes for the page. */

/** Four digits after the point, or two for large numbers; with a true minus. */
export function number(value: number | undefined): string {
  if (value === undefined || Number.isNaN(value)) return 'NaN'
  if (!Number.isFinite(value)) return value > 0 ? '∞' : '−∞'
  const size = Math.abs(value)
  const text =
    size !== 0 && (size < 5e-5 || size >= 1e5)
      ? size.toExponential(3)
      : size.toFixed(size < 100 ? 4 : 2)
  return `${value < 0 ? '−' : ''}${minus(text)}`
}

/** For errors: two significant digits. */
export function small(value: number): string {
  if (value === 0) return '0'
  if (!Number.isFinite(value)) return number(value)
  const size = Math.abs(value)
  const plain = size >= 1e-3 && size < 1e4
  return minus(plain ? String(Number(value.toPrecision(2))) : value.toExponential(1))
}

/** All digits of the number. */
export function exact(value: number): string {
  return minus(String(value))
}

/** A true minus, and no plus before an exponent. */
function minus(text: string): string {
  return text.replaceAll('-', '−').replace('e+', 'e')
}

/** Units in the last place: written out unless they are very large. */
export function ulps(value: number): string {
  return value < 1e6 ? count(Math.round(value * 10) / 10) : small(value)
}

/** An activation without its parameters, for which a drawing has no room. */
export function activation(text: string): string {
  return text === 'sigmoid' ? 'σ' : text.replace(/\(.*/, '')
}

export function shape(extents: readonly (number | string)[]): string {
  return `[${extents.join(', ')}]`
}

export function count(value: number): string {
  return value.toLocaleString('en')
}

/** In a sum: ` + 0.5` or ` − 0.5`. */
export function plus(value: number | undefined): string {
  const text = number(value)
  return text.startsWith('−') ? ` − ${text.slice(1)}` : ` + ${text}`
}
