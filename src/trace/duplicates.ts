/** Finds units that repeat another unit, in a sample of the steps. */

/** The most steps that are kept. */
const MOST = 1024
const ALIKE = 0.999

export class Duplicates {
  private readonly units: number
  /** States, [steps, units]. */
  private readonly sample: Float64Array[] = []
  private seen = 0
  /** One of this many steps is kept; doubled whenever there are too many. */
  private stride = 1

  constructor(units: number) {
    this.units = units
  }

  add(states: Float64Array, from: number): void {
    if (this.seen++ % this.stride !== 0) return
    this.sample.push(states.slice(from, from + this.units))
    if (this.sample.length <= MOST) return
    this.stride *= 2
    // Every second one is what the doubled stride would have kept.
    const kept = this.sample.filter((_, i) => i % 2 === 0)
    this.sample.splice(0, this.sample.length, ...kept)
  }

  /** Each unit with the first earlier unit that it repeats; dead units are left out. */
  result(
    dead: ReadonlySet<number>,
  ): readonly { readonly unit: number; readonly of: number; readonly correlation: number }[] {
    const steps = this.sample.length
    // Two points always lie on a line.
    if (steps < 3) return []
    const normal = Array.from({ length: this.units }, (_, u) => {
      const column = Float64Array.from(this.sample, (states) => states[u])
      const mean = column.reduce((sum, each) => sum + each, 0) / steps
      const centred = column.map((each) => each - mean)
      const norm = Math.sqrt(centred.reduce((sum, each) => sum + each * each, 0))
      return norm === 0 ? null : centred.map((each) => each / norm)
    })
    const found: { unit: number; of: number; correlation: number }[] = []
    for (let unit = 1; unit < this.units; unit++) {
      const own = normal[unit]
      if (own === null || dead.has(unit)) continue
      for (let of = 0; of < unit; of++) {
        const other = normal[of]
        if (other === null || dead.has(of)) continue
        let correlation = 0
        for (let i = 0; i < steps; i++) correlation += own[i] * other[i]
        if (Math.abs(correlation) < ALIKE) continue
        found.push({ unit, of, correlation })
        break
      }
    }
    return found
  }
}
