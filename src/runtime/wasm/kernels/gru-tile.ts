/**
 * A GRU's products for several inputs at once, in WebAssembly, with the order of `js/gru.ts`.
 *
 * A step of one row is bound by loading weights. Here there is more to do with a weight once it is
 * loaded: W meets the inputs of several steps before the recurrence begins, and U the states of all
 * rows. A few vectors of units are taken at a time, so that their weights stay in the first cache,
 * and two inputs at once, so that a loaded weight serves twice. What is summed in which order stays
 * the same, and with it every bit.
 */

import type { Func } from '../assembler.ts'
import { type Block, overUnits, starts, weightsAt } from './cell.ts'
import { GATES, type GruShape, HN, keep, N, passesOf, R, Z } from './gru.ts'
import type { Site } from './kernel.ts'
import {
  accumulateMany,
  advance,
  hold,
  type Lanes,
  type Pointer,
  pointer,
  type Sums,
  VECTOR,
  type Vector,
  writing,
} from './lanes.ts'

/** How the vectors of a tile follow each other, in bytes. */
export interface TileStrides {
  /** From one step's inputs or projections to the next step's. */
  readonly x: number
  readonly pre: number
  /** From one row's to the next row's. */
  readonly xRow: number
  readonly preRow: number
  readonly outRow: number
}

export interface TileFuncs {
  /** (panels, biases, x, pre, steps, rows): W·x and the biases that go with it, of all gates. */
  readonly project: Func<readonly ['i32', 'i32', 'i32', 'i32', 'i32', 'i32'], undefined>
  /** (panels, biases, pre, h, bytes from one h to the next, out, rows): one step of all rows. */
  readonly recur: Func<readonly ['i32', 'i32', 'i32', 'i32', 'i32', 'i32', 'i32'], undefined>
}

export function tileFuncs(site: Site, shape: GruShape, strides: TileStrides): TileFuncs {
  return site.shared(`gru tile ${JSON.stringify([shape, strides])}`, () => ({
    project: writeProject(site, shape, strides),
    recur: writeRecur(site, shape, strides),
  }))
}

/** pre = [z|r|n] of each step of each row: the sum of a gate as far as the inputs take it. */
function writeProject(
  { module, target }: Site,
  shape: GruShape,
  strides: TileStrides,
): TileFuncs['project'] {
  return module.func(
    {
      name: `gru ${shape.features} to ${shape.units}: project`,
      params: ['i32', 'i32', 'i32', 'i32', 'i32', 'i32'],
    },
    (f, panels, biases, x, pre, steps, rows) => {
      const k = writing(target, f)
      const write = (block: Block): void => {
        const [xRow, preRow, b] = [pointer(k, x), block.part(pre), block.part(biases)]
        repeatFor(k, rows, () => {
          const [xs, to] = [pointer(k, xRow), pointer(k, preRow)]
          inPairs(
            k,
            steps,
            (members) => {
              const gates = [Z, R, N].map((gate) => members.map(() => starts(block, b, gate)))
              accumulateMany(
                k,
                gates.flatMap((accs, gate) => sumsOf(block, accs, gate)),
                pointer(k, block.w),
                block.row,
                members.map((m) => pointer(k, xs, m * strides.x)),
                shape.features,
              )
              for (const m of members) {
                const own = pointer(k, to, m * strides.pre)
                gates.forEach((accs, gate) => keep(block, own, accs[m], gate))
              }
            },
            () => {
              advance(k, xs, 2 * strides.x)
              advance(k, to, 2 * strides.pre)
            },
          )
          advance(k, xRow, strides.xRow)
          advance(k, preRow, strides.preRow)
        })
      }
      overUnits(k, shape, GATES, panels, write, k.pairVectors)
    },
  )
}

/** Where the vectors of a row begin. */
interface Row {
  readonly pre: Pointer
  readonly h: Pointer
  readonly out: Pointer
}

function writeRecur(site: Site, shape: GruShape, strides: TileStrides): TileFuncs['recur'] {
  const { module, target } = site
  const { reset, finish } = passesOf(site, shape)
  return module.func(
    {
      name: `gru ${shape.units}: rows`,
      params: ['i32', 'i32', 'i32', 'i32', 'i32', 'i32', 'i32'],
    },
    (f, panels, biases, pre, h, hStride, out, rows) => {
      const k = writing(target, f)
      const { i32, local } = f
      /** The row that `row` is, moved on by as many rows. */
      const moveOn = (row: Row, rows: 1 | 2): void => {
        advance(k, row.pre, rows * strides.preRow)
        advance(k, row.out, rows * strides.outRow)
        local.set(row.h, i32.add(row.h, rows === 1 ? hStride : i32.shl(hStride, 1)))
      }
      const copy = (row: Row): Row => ({
        pre: pointer(k, row.pre),
        h: pointer(k, row.h),
        out: pointer(k, row.out),
      })
      const first = (): Row => copy({ pre, h, out })
      const eachRow = (body: (row: Row) => void): void => {
        const row = first()
        repeatFor(k, rows, () => {
          body(row)
          moveOn(row, 1)
        })
      }
      /** Products with U, of a single row, which has all accumulators to itself, or of two at once. */
      const products = (write: (block: Block, rows: readonly Row[]) => void): void =>
        f.if(
          i32.eq(rows, 1),
          () => overUnits(k, shape, GATES, panels, (block) => write(block, [{ pre, h, out }])),
          () =>
            overUnits(
              k,
              shape,
              GATES,
              panels,
              (block) => {
                const row = first()
                const second = (): Row => {
                  const next = copy(row)
                  moveOn(next, 1)
                  return next
                }
                inPairs(
                  k,
                  rows,
                  (members) => write(block, members.length === 1 ? [row] : [row, second()]),
                  () => moveOn(row, 2),
                )
              },
              k.pairVectors,
            ),
        )
      if (reset === null) products((block, those) => addStates(block, shape, biases, those, true))
      else {
        products((block, those) => addStates(block, shape, biases, those, false))
        eachRow((row) => f.call(reset, row.pre, row.h))
        products((block, those) => addResetStates(block, shape, biases, those))
      }
      eachRow((row) => f.call(finish, row.pre, row.h, row.out))
    },
  )
}

/** z and r of `pre` with U·h added; and, into `out`, the candidate's U·h + brn if it is wanted. */
function addStates(
  block: Block,
  shape: GruShape,
  biases: Pointer,
  rows: readonly Row[],
  candidate: boolean,
): void {
  const [z, r] = [Z, R].map((gate) => rows.map(({ pre }) => loads(block, block.part(pre), gate)))
  const hn = candidate ? rows.map(() => starts(block, block.part(biases), HN)) : []
  addProducts(
    block,
    shape,
    [...sumsOf(block, z, Z), ...sumsOf(block, r, R), ...(candidate ? sumsOf(block, hn, N) : [])],
    rows.map(({ h }) => h),
  )
  rows.forEach(({ pre, out }, m) => {
    const own = block.part(pre)
    keep(block, own, z[m], Z)
    keep(block, own, r[m], R)
    if (candidate) keep(block, block.part(out), hn[m])
  })
}

/** The candidate's U·(r ⊙ h) + brn, into `out`. */
function addResetStates(
  block: Block,
  shape: GruShape,
  biases: Pointer,
  rows: readonly Row[],
): void {
  const hn = rows.map(() => starts(block, block.part(biases), HN))
  const reset = rows.map(({ pre }) => pointer(block, pre, R * block.width))
  addProducts(block, shape, sumsOf(block, hn, N), reset)
  rows.forEach(({ out }, m) => keep(block, block.part(out), hn[m]))
}

/** Adds U times a vector of each row. */
function addProducts(
  block: Block,
  { features, units }: GruShape,
  sums: readonly Sums[],
  vectors: readonly Pointer[],
): void {
  const w = pointer(block, block.w, features * block.row)
  const inputs = vectors.map((vector) => pointer(block, vector))
  accumulateMany(block, sums, w, block.row, inputs, units)
}

/** Accumulators by member and vector, as sums over the weights of a gate. */
function sumsOf(block: Block, accs: readonly (readonly Vector[])[], gate: number): Sums[] {
  return block.all.map((v) => ({
    accs: accs.map((each) => each[v]),
    offset: weightsAt(block, v, gate),
  }))
}

/** A gate's sums as far as they have come. */
function loads(block: Block, pre: Pointer, gate: number): Vector[] {
  return block.all.map((v) => hold(block, block.f.v128.load(gate * block.width + v * VECTOR, pre)))
}

/** As often as a local says, at least once. */
function repeatFor(k: Lanes, count: Pointer, body: () => void): void {
  const { f } = k
  const left = pointer(k, count)
  f.loop((next) => {
    body()
    f.br_if(next, f.local.tee(left, f.i32.sub(left, 1)))
  })
}

/** Code for two inputs at once as often as there are two, and then for the one that may be left. */
function inPairs(
  k: Lanes,
  count: Pointer,
  write: (members: readonly number[]) => void,
  advancePair: () => void,
): void {
  const { f } = k
  const { i32, local } = f
  const pairs = local('i32')
  local.set(pairs, i32.shr_u(count, 1))
  f.if(pairs, () =>
    f.loop((next) => {
      write([0, 1])
      advancePair()
      f.br_if(next, local.tee(pairs, i32.sub(pairs, 1)))
    }),
  )
  f.if(i32.and(count, 1), () => write([0]))
}
