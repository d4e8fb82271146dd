/**
 * Finds the minimum of a function of a factor: a scan over six decades, then a golden-section
 * search.
 */

const POINTS = 72
/** From 0.001 to 1000 in equal ratios. */
const at = (i: number): number => 10 ** (-3 + (6 * i) / POINTS)
const RATIO = (Math.sqrt(5) - 1) / 2

/** The best point of the scan, and the value there. */
export function scan(f: (factor: number) => number): {
  readonly at: number
  readonly least: number
} {
  let best = 0
  let least = Number.POSITIVE_INFINITY
  for (let i = 0; i <= POINTS; i++) {
    const value = f(at(i))
    if (value < least) {
      least = value
      best = i
    }
  }
  return { at: best, least }
}

/** The minimum between the two neighbours of a point of the scan. */
export function leastNear(f: (factor: number) => number, point: number): number {
  let [low, high] = [at(point - 1), at(point + 1)]
  let [a, b] = [high - RATIO * (high - low), low + RATIO * (high - low)]
  let [fa, fb] = [f(a), f(b)]
  for (let i = 0; i < 80 && high - low > 1e-16 * high; i++) {
    if (fa <= fb) {
      high = b
      ;[b, fb] = [a, fa]
      a = high - RATIO * (high - low)
      fa = f(a)
    } else {
      low = a
      ;[a, fa] = [b, fb]
      b = low + RATIO * (high - low)
      fb = f(b)
    }
  }
  return (low + high) / 2
}
