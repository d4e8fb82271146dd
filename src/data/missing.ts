/** Finds missing values in rows of numbers, and does with them what a policy says. */

import type { LineNumbers } from '../bytes/tables/tables.ts'
import { GruvError, isGruvError } from '../errors.ts'
import type { Tensor } from '../tensor.ts'

/** What to do with a row that lacks a value (NaN); the keys are the policies. */
export const missingPolicies = {
  stop: 'an error',
  drop: 'the row is left out',
  hold: 'the last value of the column',
  zero: '0',
  mask: 'the model passes over the step and keeps its state',
  pass: 'NaN goes in',
} as const

export type MissingPolicy = keyof typeof missingPolicies

/** `pass` leaves no gap, and `stop` throws. */
export type Gap = { readonly where: string; readonly fate: 'drop' | 'hold' | 'zero' | 'mask' }

/** Fills the gaps of one sequence, row by row. */
export class MissingValues {
  readonly #policy: MissingPolicy
  #last: readonly number[] | null = null

  constructor(policy: MissingPolicy) {
    this.#policy = policy
  }

  /**
   * Fills the row in place. A masked row has zeros where values are missing.
   * @param names of the columns, for messages.
   * @returns null where nothing is missing.
   * @throws GruvError `bad-file` under `stop`, and under `hold` where there is no value to hold.
   */
  fill(row: number[], where: string, names: readonly string[] | null = null): Gap | null {
    const policy = this.#policy
    const gaps = policy === 'pass' ? [] : [...row.keys()].filter((c) => Number.isNaN(row[c]))
    if (gaps.length === 0) {
      this.#last = row.slice()
      return null
    }
    const shown = gaps.map((c) => `column ${c + 1}${names?.[c] ? ` (${names[c]})` : ''}`)
    const place = `${where}, ${shown.join(', ')}`
    const last = this.#last
    if (policy === 'stop' || policy === 'pass' || (policy === 'hold' && last === null)) {
      throw new GruvError('bad-file', 'a value is missing', {
        where: place,
        expected: policy === 'hold' ? 'a whole row first, whose values can be held' : 'a number',
        got: 'nothing, or NaN',
        fix: 'Fill the gap, or choose what happens: `gruv run` and `gruv trace` have --missing drop, hold, zero, mask or pass.',
      })
    }
    for (const c of gaps) row[c] = policy === 'hold' && last !== null ? last[c] : 0
    if (policy === 'hold') this.#last = row.slice()
    return { where: place, fate: policy }
  }
}

export interface FillOptions {
  /** In which lines the rows of a table stand. */
  readonly lines?: LineNumbers
  readonly columns?: readonly string[]
  /** Takes the error of a row of a table, which is then left out. */
  readonly onError?: ((error: GruvError) => void) | undefined
}

export interface Filled {
  readonly tensor: Tensor
  /** [rows] or [batch, rows] of 0 and 1, where a row is masked. */
  readonly mask: Tensor | null
  readonly gaps: readonly Gap[]
}

/**
 * A whole table, [rows, columns], or a batch of them. Each sequence is filled from its own rows.
 * @throws GruvError as `MissingValues`; `bad-argument` where a row of a batch should be dropped;
 *   `bad-file` where no row is left.
 */
export function fillMissing(
  tensor: Tensor,
  policy: MissingPolicy,
  options: FillOptions = {},
): Filled {
  const { shape, data } = tensor
  if (policy === 'pass' || !data.some(Number.isNaN)) return { tensor, mask: null, gaps: [] }
  const { lines, columns = null, onError } = options
  const width = shape.at(-1) ?? 1
  const rows = data.length / width
  const perSequence = shape.length > 2 ? shape[shape.length - 2] : rows
  const isTable = shape.length === 2
  const kept: number[] = []
  const counts = new Float64Array(rows).fill(1)
  const gaps: Gap[] = []
  let values = new MissingValues(policy)
  for (let r = 0; r < rows; r++) {
    const t = r % perSequence
    if (t === 0) values = new MissingValues(policy)
    const row = Array.from(data.subarray(r * width, (r + 1) * width))
    const where = lines
      ? `line ${lineOf(lines, r)}`
      : `${perSequence < rows ? `sequence ${Math.floor(r / perSequence) + 1}, ` : ''}row ${t + 1}`
    try {
      const gap = values.fill(row, where, columns)
      if (gap !== null) gaps.push(gap)
      if (gap?.fate === 'drop') {
        if (isTable) continue
        throw new GruvError(
          'bad-argument',
          'rows can be dropped from a table of rows and columns only',
          {
            where: gap.where,
            got: `[${shape.join(', ')}]`,
          },
        )
      }
      if (gap?.fate === 'mask') counts[r] = 0
    } catch (error) {
      if (onError === undefined || !isTable || !isGruvError(error)) throw error
      onError(error)
      continue
    }
    for (const value of row) kept.push(value)
  }
  if (kept.length === 0) {
    throw new GruvError('bad-file', 'a value is missing in every row', { expected: 'whole rows' })
  }
  return {
    tensor: {
      ...tensor,
      shape: isTable ? [kept.length / width, width] : shape,
      data: Float64Array.from(kept),
    },
    mask: counts.includes(0) ? { shape: shape.slice(0, -1), data: counts } : null,
    gaps,
  }
}

function lineOf(lines: LineNumbers, row: number): number {
  const run = lines.findLast((each) => each.row <= row)
  return run === undefined ? row + 1 : run.line + row - run.row
}
