/**
 * A tile of rows of a GRU over a chunk of steps, in WebAssembly, with the order of `js/gru.ts`.
 *
 * A step of one row is bound by loading weights. Here there is more to do with a weight once it is
 * loaded: W meets the inputs of several steps before the recurrence begins, and U the states of all
 * rows. A few vectors of units are taken at a time, so that their weights stay in the first cache,
 * and two inputs at once, so that a loaded weight serves twice. What is summed in which order stays
 * the same, and with it every bit.
 */

import type { GruKernel } from '../../layers/gru.ts'
import { PROJECTED_STEPS, padded, TILE_ROWS } from '../../plan.ts'
import type { Func, Value } from '../assembler.ts'
import { activate } from './activations.ts'
import { type Block, limited, overUnits, starts, weightsAt } from './cell.ts'
import { type CellShape, finish, GATES, HN, N, R, Z } from './gru.ts'
import type { KernelFuncs, Site } from './kernel.ts'
import {
  accumulateMany,
  advance,
  copyNumbers,
  hold,
  type Lanes,
  madd,
  type Pointer,
  pointer,
  VECTOR,
  type Vector,
  writing,
} from './lanes.ts'

/** (x, pre, steps): W·x and the biases that go with it, of steps of one row. */
type Project = Func<readonly ['i32', 'i32', 'i32'], undefined>

/** (pre, h, bytes from one h to the next, out, scratch, rows): one step of all rows. */
type TileStep = Func<readonly ['i32', 'i32', 'i32', 'i32', 'i32', 'i32'], undefined>

/** Where a kernel's weights are, and how its vectors follow each other in a frame. */
interface Tile extends CellShape {
  readonly node: string
  readonly panels: number
  readonly biases: number
  readonly xBytes: number
  readonly lanes: number
  /** Bytes from a row's outputs or projections to the next row's. */
  readonly outRow: number
  readonly preRow: number
}

export function writeGruBlock(site: Site, kernel: GruKernel): KernelFuncs['block'] {
  const { module, plan, target } = site
  const lanes = padded(kernel.units)
  const { offsets, scratch, steps: most } = plan.block
  const { bytes } = target
  const tile: Tile = {
    ...kernel,
    xBytes: bytes * padded(kernel.features),
    lanes,
    outRow: bytes * most * lanes,
    preRow: bytes * PROJECTED_STEPS * GATES * lanes,
  }
  const project = writeProject(site, tile)
  const step = writeTileStep(site, tile)
  const { xBytes, outRow, preRow } = tile
  const [outBytes, preBytes] = [bytes * lanes, bytes * GATES * lanes]
  const way = kernel.direction === 'forward' ? 1 : -1
  return module.func(
    { name: `${kernel.node}: block`, params: ['i32', 'i32', 'i32', 'i32', 'i32'] },
    (f, frame, state, rows, steps, start) => {
      const k = writing(target, f)
      const { i32, local } = f
      const at = (offset: number): Pointer => pointer(k, frame, bytes * offset)
      const states = pointer(k, state, bytes * kernel.state)
      const pre = at(scratch)
      const wait = pointer(k, pre, TILE_ROWS * preRow)
      /** For each row: a vector of a value, and the row's state. */
      const eachRow = (value: number, body: (vector: Pointer, h: Pointer) => void): void => {
        if (value < 0) return
        const [vector, h, left] = [at(offsets[value]), pointer(k, states), local('i32')]
        local.set(left, rows)
        f.loop((next) => {
          body(vector, h)
          advance(k, vector, outBytes)
          advance(k, h, bytes * plan.stateStride)
          f.br_if(next, local.tee(left, i32.sub(left, 1)))
        })
      }
      f.if(start, () =>
        eachRow(kernel.initialState, (vector, h) => copyNumbers(k, h, vector, lanes)),
      )

      const [h, hStride, left, count] = ['i32', 'i32', 'i32', 'i32'].map(() => local('i32'))
      const [x, out] = [at(offsets[kernel.x]), at(offsets[kernel.sequence])]
      // A backward layer begins at the end, with the last steps of the chunk.
      if (way < 0) {
        local.set(x, i32.add(x, i32.mul(steps, xBytes)))
        local.set(out, i32.add(out, i32.mul(i32.sub(steps, 1), outBytes)))
      }
      local.set(h, states)
      local.set(hStride, bytes * plan.stateStride)
      local.set(left, steps)
      f.loop((nextSteps) => {
        local.set(count, i32.const(PROJECTED_STEPS))
        f.if(i32.lt_u(left, PROJECTED_STEPS), () => local.set(count, left))
        if (way < 0) local.set(x, i32.sub(x, i32.mul(count, xBytes)))
        projectRows()
        if (way > 0) local.set(x, i32.add(x, i32.mul(count, xBytes)))
        local.set(left, i32.sub(left, count))

        const p = pointer(k, pre)
        if (way < 0) local.set(p, i32.add(p, i32.mul(i32.sub(count, 1), preBytes)))
        f.loop((nextStep) => {
          f.call(step, p, h, hStride, out, wait, rows)
          local.set(h, out)
          local.set(hStride, i32.const(outRow))
          advance(k, out, way * outBytes)
          advance(k, p, way * preBytes)
          f.br_if(nextStep, local.tee(count, i32.sub(count, 1)))
        })
        f.br_if(nextSteps, left)
      })

      // What the last step left is the state, and every row's last output.
      const [from, to, row] = [pointer(k, h), pointer(k, states), local('i32')]
      local.set(row, rows)
      f.loop((next) => {
        copyNumbers(k, to, from, lanes)
        advance(k, to, bytes * plan.stateStride)
        advance(k, from, outRow)
        f.br_if(next, local.tee(row, i32.sub(row, 1)))
      })
      for (const value of [kernel.last, kernel.finalState])
        eachRow(value, (vector, h) => copyNumbers(k, vector, h, lanes))

      function projectRows(): void {
        const [from, to, row] = [pointer(k, x), pointer(k, pre), local('i32')]
        local.set(row, rows)
        f.loop((next) => {
          f.call(project, from, to, count)
          advance(k, from, most * xBytes)
          advance(k, to, preRow)
          f.br_if(next, local.tee(row, i32.sub(row, 1)))
        })
      }
    },
  )
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

/** pre = [z|r|n] of each step: the sum of a gate as far as the inputs take it. */
function writeProject({ module, target }: Site, tile: Tile): Project {
  const { features, xBytes, lanes } = tile
  const preBytes = target.bytes * GATES * lanes
  return module.func(
    { name: `${tile.node}: project`, params: ['i32', 'i32', 'i32'] },
    (f, x, pre, steps) => {
      const k = writing(target, f)
      const [panels, biases] = weightsOf(k, tile)
      const write = (block: Block): void => {
        const [xs, to] = [pointer(k, x), block.part(pre)]
        const b = block.part(biases)
        inPairs(
          k,
          steps,
          (members) => {
            const gates = [Z, R, N].map((gate) => members.map(() => starts(block, b, gate)))
            const inputs = members.map((m) => pointer(k, xs, m * xBytes))
            accumulateMany(
              k,
              gates.flatMap((accs, gate) => sumsOf(block, accs, gate)),
              pointer(k, block.w),
              block.row,
              inputs,
              features,
            )
            gates.forEach((accs, gate) => {
              for (const m of members) {
                for (const v of block.all) {
                  const offset = m * preBytes + gate * block.width + v * VECTOR
                  f.v128.store(offset, to, accs[m][v])
                }
              }
            })
          },
          () => {
            advance(k, xs, 2 * xBytes)
            advance(k, to, 2 * preBytes)
          },
        )
      }
      overUnits(k, tile, GATES, panels, write, k.pairVectors)
    },
  )
}

function writeTileStep({ module, target }: Site, tile: Tile): TileStep {
  const { resetAfter, lanes, outRow, preRow } = tile
  return module.func(
    { name: `${tile.node}: rows`, params: ['i32', 'i32', 'i32', 'i32', 'i32', 'i32'] },
    (f, pre, h, hStride, out, wait, rows) => {
      const k = writing(target, f)
      const { i32, local } = f
      const [panels, biases] = weightsOf(k, tile)
      const waitRow = 2 * target.bytes * lanes
      const behind = (first: Pointer, bytes: Pointer | number): Pointer => {
        const next = local('i32')
        local.set(next, i32.add(first, bytes as Pointer))
        return next
      }
      type Write = (block: Block, rows: readonly Row[]) => void
      const oneRow = (write: Write): void =>
        overUnits(k, tile, GATES, panels, (block) => write(block, [{ pre, h, out, wait }]))
      const allRows = (write: Write): void => {
        const each = (block: Block): void => {
          const [p, old, to, own] = [pre, h, out, wait].map((first) => pointer(k, first))
          const rowOf = (member: number): Row =>
            member === 0
              ? { pre: p, h: old, out: to, wait: own }
              : {
                  pre: behind(p, preRow),
                  h: behind(old, hStride),
                  out: behind(to, outRow),
                  wait: behind(own, waitRow),
                }
          inPairs(
            k,
            rows,
            (members) => write(block, members.map(rowOf)),
            () => {
              advance(k, p, 2 * preRow)
              advance(k, to, 2 * outRow)
              advance(k, own, 2 * waitRow)
              local.set(old, i32.add(old, i32.shl(hStride, 1)))
            },
          )
        }
        overUnits(k, tile, GATES, panels, each, k.pairVectors)
      }
      const rounds = (round: (write: Write) => void): void => {
        if (resetAfter) round((block, those) => writeAfter(block, tile, biases, those))
        else {
          round((block, those) => writeGates(block, tile, those))
          round((block, those) => writeBefore(block, tile, biases, those))
        }
      }
      // A single row has more accumulators to itself.
      f.if(
        i32.eq(rows, 1),
        () => rounds(oneRow),
        () => rounds(allRows),
      )
    },
  )
}

/** Where the vectors of a row begin. */
interface Row {
  readonly pre: Pointer
  readonly h: Pointer
  readonly out: Pointer
  /** Room for z and r ⊙ h. */
  readonly wait: Pointer
}

/** n = φ(xn + r ⊙ (U·h + brn)) */
function writeAfter(block: Block, tile: Tile, biases: Pointer, rows: readonly Row[]): void {
  const { f, all } = block
  const { local, v128 } = f
  const parts = rows.map(({ pre, h, out }) => [pre, h, out].map(block.part))
  const z = parts.map(([pre]) => loads(block, pre, Z))
  const r = parts.map(([pre]) => loads(block, pre, R))
  const b = block.part(biases)
  const hn = rows.map(() => starts(block, b, HN))
  overStates(
    block,
    tile,
    [...sumsOf(block, z, Z), ...sumsOf(block, r, R), ...sumsOf(block, hn, N)],
    rows.map(({ h }) => h),
  )
  parts.forEach(([pre, old, to], m) => {
    for (const v of all) {
      local.set(r[m][v], gateOf(block, tile, r[m][v]))
      local.set(z[m][v], gateOf(block, tile, z[m][v]))
      const xn = hold(block, v128.load(N * block.width + v * VECTOR, pre))
      const sum = hold(block, madd(block, r[m][v], hn[m][v], xn))
      finish({ ...block, shape: tile }, v, z[m][v], sum, old, to)
    }
  })
}

/** z and r ⊙ h, to wait for the other units. */
function writeGates(block: Block, tile: Tile, rows: readonly Row[]): void {
  const { f, all, width } = block
  const { float, local, v128 } = f
  const parts = rows.map(({ pre, h, wait }) => [pre, h, wait].map(block.part))
  const z = parts.map(([pre]) => loads(block, pre, Z))
  const r = parts.map(([pre]) => loads(block, pre, R))
  const sums = [...sumsOf(block, z, Z), ...sumsOf(block, r, R)]
  overStates(
    block,
    tile,
    sums,
    rows.map(({ h }) => h),
  )
  parts.forEach(([, old, wait], m) => {
    for (const v of all) {
      local.set(r[m][v], gateOf(block, tile, r[m][v]))
      v128.store(v * VECTOR, wait, gateOf(block, tile, z[m][v]))
      v128.store(width + v * VECTOR, wait, float.mul(r[m][v], v128.load(v * VECTOR, old)))
    }
  })
}

/** n = φ(xn + (U·(r ⊙ h) + brn)) */
function writeBefore(block: Block, tile: Tile, biases: Pointer, rows: readonly Row[]): void {
  const { f, all, width } = block
  const { float, v128 } = f
  const parts = rows.map(({ pre, h, out, wait }) => [pre, h, out, wait].map(block.part))
  const b = block.part(biases)
  const hn = rows.map(() => starts(block, b, HN))
  const read = rows.map(({ wait }) => pointer(block, wait, width))
  overStates(block, tile, sumsOf(block, hn, N), read)
  parts.forEach(([pre, old, to, wait], m) => {
    for (const v of all) {
      const z = hold(block, v128.load(v * VECTOR, wait))
      const xn = hold(block, v128.load(N * width + v * VECTOR, pre))
      const sum = hold(block, float.add(xn, hn[m][v]))
      finish({ ...block, shape: tile }, v, z, sum, old, to)
    }
  })
}

/** Adds U times a vector of each row. */
function overStates(
  block: Block,
  { features, units }: Tile,
  sums: ReturnType<typeof sumsOf>,
  vectors: readonly Pointer[],
): void {
  const w = pointer(block, block.w, features * block.row)
  const inputs = vectors.map((vector) => pointer(block, vector))
  accumulateMany(block, sums, w, block.row, inputs, units)
}

/** Accumulators by member and vector, as sums over the weights of a gate. */
function sumsOf(
  block: Block,
  accs: readonly (readonly Vector[])[],
  gate: number,
): { readonly accs: readonly Vector[]; readonly offset: number }[] {
  return block.all.map((v) => ({
    accs: accs.map((each) => each[v]),
    offset: weightsAt(block, v, gate),
  }))
}

/** A gate's sums as far as they have come. */
function loads(block: Block, pre: Pointer, gate: number): Vector[] {
  return block.all.map((v) => hold(block, block.f.v128.load(gate * block.width + v * VECTOR, pre)))
}

function gateOf(block: Block, { recurrentActivation, clip }: Tile, a: Vector): Value<'v128'> {
  return activate(block, recurrentActivation, limited(block, a, clip))
}

/** The weights' addresses. */
function weightsOf({ bytes, f }: Lanes, { panels, biases }: Tile): [Pointer, Pointer] {
  return [panels, biases].map((offset) => {
    const local = f.local('i32')
    f.local.set(local, bytes * offset)
    return local
  }) as [Pointer, Pointer]
}
