/** Layers that move numbers, against versions that look at one index at a time. */

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { sizeOf, type Tensor } from '../../../src/tensor.ts'
import { errorOf } from '../../support/errors.ts'
import { anyTensor, expectSame } from '../../support/tensors.ts'
import { counted, node, run } from './support.ts'

type Index = readonly number[]

/** The tensor of that shape whose element at an index is `at(index)`. */
function byIndex(shape: Index, at: (index: Index) => number): Tensor {
  const data = new Float64Array(sizeOf(shape))
  for (let i = 0; i < data.length; i++) {
    const index: number[] = []
    let rest = i
    for (const extent of shape.toReversed()) {
      index.unshift(rest % extent)
      rest = Math.floor(rest / extent)
    }
    data[i] = at(index)
  }
  return { shape, data }
}

function element({ shape, data }: Tensor, index: Index): number {
  return data[index.reduce((at, i, axis) => at * shape[axis] + i, 0)]
}

/** The positions of an axis that Python's `start:end:step` takes, told by what Python does: it walks. */
function walked(extent: number, start: number | null, end: number | null, step: number): number[] {
  const absolute = (at: number): number => (at < 0 ? at + extent : at)
  let at = start === null ? (step > 0 ? 0 : extent - 1) : absolute(start)
  if (step > 0) at = Math.max(at, 0)
  else at = Math.min(at, extent - 1)
  const stop = end === null ? (step > 0 ? Infinity : -Infinity) : Math.max(absolute(end), -1)
  const positions: number[] = []
  for (; step > 0 ? at < Math.min(stop, extent) : at > stop && at >= 0; at += step)
    positions.push(at)
  return positions
}

const axis = (x: Tensor, pick: number): number => pick % x.shape.length

describe('the same as index by index, for any tensor', () => {
  it('transpose', () => {
    fc.assert(
      fc.property(anyTensor(), fc.infiniteStream(fc.nat()), (x, picks) => {
        const axes = x.shape.map((_, i) => i)
        for (let i = axes.length - 1; i > 0; i--) {
          const j = picks.next().value % (i + 1)
          ;[axes[i], axes[j]] = [axes[j], axes[i]]
        }
        const shape = axes.map((from) => x.shape[from])
        const expected = byIndex(shape, (index) =>
          element(
            x,
            x.shape.map((_, from) => index[axes.indexOf(from)]),
          ),
        )
        expectSame(run(node({ kind: 'transpose', axes }), { x }), expected)
      }),
    )
  })

  it('slice', () => {
    const position = fc.option(fc.integer({ min: -6, max: 6 }))
    const step = fc.integer({ min: -3, max: 3 }).filter((each) => each !== 0)
    fc.assert(
      fc.property(
        anyTensor({ minAxes: 1 }),
        fc.nat(),
        fc.tuple(position, position, step),
        fc.tuple(position, position, step),
        (x, pick, a, b) => {
          // Two cuts, mostly of two axes, sometimes of the same one.
          const cuts = [a, b].map(([start, end, step], i) => {
            return { axis: axis(x, pick + i), start, end, step }
          })
          let expected: Tensor = x
          for (const { axis, start, end, step } of cuts) {
            const from = expected
            const taken = walked(from.shape[axis], start, end, step)
            expected = byIndex(from.shape.with(axis, taken.length), (index) =>
              element(from, index.with(axis, taken[index[axis]])),
            )
          }
          expectSame(run(node({ kind: 'slice', slices: cuts }), { x }), expected)
        },
      ),
    )
  })

  it('reverse', () => {
    fc.assert(
      fc.property(anyTensor({ minAxes: 2 }), (x) => {
        const expected = byIndex(x.shape, (index) =>
          element(x, index.with(1, x.shape[1] - 1 - index[1])),
        )
        expectSame(run(node({ kind: 'reverse' }), { x }), expected)
      }),
    )
  })

  it('expand', () => {
    fc.assert(
      fc.property(
        anyTensor(),
        fc.array(fc.nat(3), { maxLength: 2 }),
        fc.nat(15),
        (x, more, ones) => {
          // Some axes have extent 1 and are widened to what they had.
          const narrow = x.shape.map((extent, i) => ((ones >> i) & 1 ? 1 : extent))
          const small = byIndex(narrow, (index) => (x.data.length === 0 ? 7 : element(x, index)))
          const shape = [...more, ...x.shape]
          const expected = byIndex(shape, (index) =>
            element(
              small,
              narrow.map((extent, i) => (extent === 1 ? 0 : index[more.length + i])),
            ),
          )
          expectSame(run(node({ kind: 'expand', shape }), { x: small }), expected)
        },
      ),
    )
  })

  it('concat', () => {
    fc.assert(
      fc.property(
        anyTensor({ minAxes: 1 }),
        fc.nat(),
        fc.nat(4),
        fc.nat(4),
        (x, pick, cut, gap) => {
          const along = axis(x, pick)
          const part = (start: number, end: number): Tensor => {
            const slices = [{ axis: along, start, end, step: 1 }]
            return run(node({ kind: 'slice', slices }), { x })
          }
          const [a, b] = [Math.min(cut, cut + gap), cut + gap]
          // Cut into three and put together again; the ports' names say nothing about the order.
          const parts = { z: part(0, a), a: part(a, b), m: part(b, 9) }
          const whole = { ...x, data: Float64Array.from(x.data) }
          expectSame(run(node({ kind: 'concat', axis: along }), parts), whole)
        },
      ),
    )
  })

  it('gather', () => {
    fc.assert(
      fc.property(
        anyTensor({ minAxes: 1, minExtent: 1 }),
        fc.nat(),
        fc.array(fc.nat(99), { maxLength: 6 }),
        fc.boolean(),
        (x, pick, picks, square) => {
          const along = axis(x, pick)
          const extent = x.shape[along]
          const numbers = picks.map((each) => (each % (2 * extent)) - extent)
          const shape = square ? [1, numbers.length] : [numbers.length]
          const indices = { shape, data: Float32Array.from(numbers) }
          const expected = byIndex(
            [...x.shape.slice(0, along), ...shape, ...x.shape.slice(along + 1)],
            (index) => {
              const number = numbers[index[along + shape.length - 1]]
              const row = number < 0 ? number + extent : number
              return element(x, [
                ...index.slice(0, along),
                row,
                ...index.slice(along + shape.length),
              ])
            },
          )
          expectSame(run(node({ kind: 'gather', axis: along }), { x, indices }), expected)
        },
      ),
    )
  })

  it('pad with a value, also by less than nothing', () => {
    const sides = fc.array(
      fc.record({
        before: fc.integer({ min: -2, max: 3 }),
        after: fc.integer({ min: -2, max: 3 }),
      }),
      { minLength: 4, maxLength: 4 },
    )
    fc.assert(
      fc.property(anyTensor({ minExtent: 4 }), sides, (x, all) => {
        const pads = all.slice(0, x.shape.length)
        const shape = x.shape.map((extent, i) => extent + pads[i].before + pads[i].after)
        const expected = byIndex(shape, (index) => {
          const from = index.map((i, axis) => i - pads[axis].before)
          const inside = from.every((i, axis) => i >= 0 && i < x.shape[axis])
          return inside ? element(x, from) : -7
        })
        expectSame(run(node({ kind: 'pad', mode: 'constant', value: -7, pads }), { x }), expected)
      }),
    )
  })
})

describe('edges', () => {
  it('what is cut off before edges are repeated is gone', () => {
    const pads = [{ before: -1, after: 2 }]
    const padded = (mode: 'edge' | 'reflect') =>
      Array.from(run(node({ kind: 'pad', mode, value: 0, pads }), { x: counted(4) }).data)
    expect(padded('edge')).toEqual([2, 3, 4, 4, 4])
    expect(padded('reflect')).toEqual([2, 3, 4, 3, 2])
  })

  it('an empty axis has no edge to repeat', async () => {
    const layer = node({ kind: 'pad', mode: 'edge', value: 0, pads: [{ before: 1, after: 0 }] })
    const error = await errorOf(() => run(layer, { x: counted(0) }))
    expect(error).toMatchObject({ code: 'bad-shape', where: 'layer' })
  })

  it('a single number is gathered away from its axis', () => {
    const indices = { shape: [], data: Float64Array.of(-1) }
    const y = run(node({ kind: 'gather', axis: 1 }), { x: counted(2, 3), indices })
    expect(y).toEqual({ shape: [2], data: Float64Array.of(3, 6) })
  })

  it.each([3, -4, 0.5, Number.NaN])('gather: there is no row %s of three', async (index) => {
    const indices = { shape: [1], data: Float64Array.of(index) }
    const error = await errorOf(() =>
      run(node({ kind: 'gather', axis: 0 }), { x: counted(3), indices }),
    )
    expect(error.code).toBe('bad-argument')
    expect(error.message).toContain('layer, port indices')
    expect(error.expected).toBe('whole numbers from -3 to 2')
  })

  it('reshape reads symbols, expressions of them, and −1', () => {
    const x = counted(2, 3, 4)
    const shapeOf = (...shape: (number | string)[]) =>
      run(node({ kind: 'reshape', shape }), { x }, { batch: 2, time: 3 }).shape
    expect(shapeOf('batch', '4·time')).toEqual([2, 12])
    expect(shapeOf('(time+1)', -1)).toEqual([4, 6])
    expect(shapeOf(-1)).toEqual([24])
    expect(shapeOf(1, 'batch', -1, 'time')).toEqual([1, 2, 4, 3])
  })

  it('expand reads symbols, and keeps an axis at −1', () => {
    const layer = node({ kind: 'expand', shape: ['batch', -1, 'time'] })
    const y = run(layer, { x: counted(2, 1) }, { batch: 2, time: 3 })
    expect(y.shape).toEqual([2, 2, 3])
    expect(Array.from(y.data)).toEqual([1, 1, 1, 2, 2, 2, 1, 1, 1, 2, 2, 2])
  })

  it('a reshape that does not come out even, and a symbol that nothing binds, name the layer', async () => {
    const fail = (shape: (number | string)[]) =>
      errorOf(() => run(node({ kind: 'reshape', shape }), { x: counted(2, 3) }, { time: 4 }))
    expect((await fail(['time', -1])).message).toContain('layer')
    expect((await fail(['time', 2])).message).toContain('layer')
    expect(await fail(['rows'])).toMatchObject({ code: 'bad-shape', where: 'layer' })
  })

  it('a number becomes a tensor and back', () => {
    const one = run(node({ kind: 'reshape', shape: [1, 1] }), { x: counted() })
    expect(one).toEqual(counted(1, 1))
    expect(run(node({ kind: 'reshape', shape: [] }), { x: one })).toEqual(counted())
  })

  it('a constant and an untouched tensor come in memory of their own', () => {
    const value = counted(2)
    const constant = run(node({ kind: 'constant', weights: { value } }), {})
    expect(constant).toEqual(value)
    expect(constant.data).not.toBe(value.data)
    const same = run(node({ kind: 'reshape', shape: [2] }), { x: value })
    expect(same.data.buffer).not.toBe(value.data.buffer)
    const pads = [{ before: 0, after: 0 }]
    const padded = run(node({ kind: 'pad', mode: 'edge', value: 0, pads }), { x: value })
    expect(padded.data.buffer).not.toBe(value.data.buffer)
  })

  it.each([
    ['expand', node({ kind: 'expand', shape: [2 ** 20, 2 ** 20] })],
    ['pad', node({ kind: 'pad', mode: 'edge', value: 0, pads: [{ before: 2 ** 40, after: 0 }] })],
  ])('%s does not allocate whatever a shape says', async (_, layer) => {
    expect((await errorOf(() => run(layer, { x: counted(1) }))).code).toBe('too-large')
  })
})
