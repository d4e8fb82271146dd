/** A list of numbers that grows inside a typed array. */

const FIRST_CAPACITY = 256

export class NumberList {
  length = 0
  #numbers = new Float64Array(FIRST_CAPACITY)

  push(value: number): void {
    if (this.length === this.#numbers.length) {
      const larger = new Float64Array(2 * this.length)
      larger.set(this.#numbers)
      this.#numbers = larger
    }
    this.#numbers[this.length++] = value
  }

  /** A copy of exactly these numbers. */
  toArray(): Float64Array {
    return this.#numbers.slice(0, this.length)
  }
}
