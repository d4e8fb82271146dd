/** Where a function of a factor is least: a scan over six decades, then golden sections. */
export function leastAt(f: (factor: number) => number): number {
  const POINTS = 72
  const at = (i: number): number => 10 ** (-3 + (6 * i) / POINTS)
  let best = 0
  let least = Number.POSITIVE_INFINITY
  for (let i = 0; i <= POINTS; i++) {
    const value = f(at(i))
    if (value < least) {
      least = value
      best = i
    }
  }
  const ratio = (Math.sqrt(5) - 1) / 2
  let [low, high] = [at(best - 1), at(best + 1)]
  for (let i = 0; i < 80 && high - low > 1e-16 * high; i++) {
    const [a, b] = [high - ratio * (high - low), low + ratio * (high - low)]
    if (f(a) <= f(b)) high = b
    else low = a
  }
  return (low + high) / 2
}
