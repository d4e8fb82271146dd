/**
 * Keeps the meaning of symbolic extents. A file names them freely, or not at all; the Model calls
 * rows `batch` and steps `time`. The walk through the graph shows which is which, and which are
 * equal. A walk that learns something new ends, and the next one begins with that knowledge.
 */

import { GruvError } from '../../errors.ts'
import type { Dim } from '../../model/types.ts'

/** Ends a walk through the graph that learned something new. */
export class Learned extends Error {}

/** Symbols that a file may have; each ends one walk at most. */
const MOST_SYMBOLS = 64

/** Characters of expressions, which no symbol has. */
const OPERATORS = /[\s(){}[\]⌊⌋+−·/:]/

const LONGEST_SYMBOL = 60

export class Symbols {
  private readonly meanings = new Map<string, Dim>()
  private readonly taken = new Set<string>()
  /** The symbols that stand for the file's names. */
  private readonly given = new Set<string>()
  private readonly byName = new Map<string, string>()

  /** The symbol of the file by that name, as it is called in the Model as far as that is known. */
  named(name: string): Dim {
    const before = this.byName.get(name)
    if (before !== undefined) return this.resolve(before)
    if (this.given.size >= MOST_SYMBOLS) {
      throw new GruvError('too-large', 'the inputs have too many symbolic extents', {
        expected: `at most ${MOST_SYMBOLS}`,
      })
    }
    // Expressions would be taken apart, numbers taken for numbers, and the Model's own names mean
    // something here.
    let symbol = name.slice(0, LONGEST_SYMBOL).replaceAll(new RegExp(OPERATORS, 'g'), '_')
    if (/^\d*$/.test(symbol) || symbol === 'batch' || symbol === 'time') symbol += '_'
    while (this.given.has(symbol)) symbol += '_'
    this.given.add(symbol)
    this.byName.set(name, symbol)
    return symbol
  }

  /** Says that two extents are equal. @returns false where they cannot be. */
  unify(a: Dim, b: Dim): boolean {
    if (a === b) return true
    for (const [symbol, other] of [
      [a, b],
      [b, a],
    ]) {
      if (typeof symbol === 'string' && this.given.has(symbol)) this.learn(symbol, other)
    }
    // `batch` and `time` stand for a symbol of the file.
    for (const [role, other] of [
      [a, b],
      [b, a],
    ]) {
      if (typeof role === 'string' && this.taken.has(role)) this.learn(role, other)
    }
    return false
  }

  /** Says what an extent is to the Model; an expression gives the name to the symbol in it. */
  role(extent: Dim, role: 'batch' | 'time'): void {
    if (typeof extent === 'number' || this.taken.has(role)) return
    const parts = extent.split(OPERATORS).filter((part) => this.given.has(part))
    if (parts.length !== 1) return
    this.taken.add(role)
    this.learn(parts[0], role)
  }

  isTaken(role: 'batch' | 'time'): boolean {
    return this.taken.has(role)
  }

  private learn(symbol: string, meaning: Dim): void {
    if (this.resolve(meaning) === symbol) return
    this.meanings.set(symbol, meaning)
    throw new Learned()
  }

  private resolve(dim: Dim): Dim {
    let meaning = dim
    while (typeof meaning === 'string' && this.meanings.has(meaning))
      meaning = this.meanings.get(meaning)!
    return meaning
  }
}
