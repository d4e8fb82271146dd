/** What callers may give a model of one sequence, and what they are told when it does not fit. */

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isGruvError } from '../../src/errors.ts'
import type { Dim } from '../../src/model/types.ts'
import { readInputs } from '../../src/runtime/run/inputs.ts'
import { thrownBy } from '../support/errors.ts'

const sizes = fc.integer({ min: 0, max: 4 })
const axes = fc.array(sizes, { maxLength: 5 })

/** Arrays of arrays, some of them ragged or of something else than numbers. */
const nested = fc.letrec((tie) => ({
  block: fc.oneof(
    { maxDepth: 4 },
    fc.double(),
    fc.array(tie('block'), { maxLength: 3 }),
    fc.constantFrom('1', true, null, undefined),
  ),
})).block

const regular = axes.map((shape) =>
  shape.reduceRight<unknown>((inner, extent) => Array(extent).fill(inner), 0.5),
)

const tensors = fc
  .tuple(axes, fc.constantFrom(Float32Array, Float64Array, Array), fc.constantFrom(0, 0, 0, 1))
  .map(([shape, Numbers, more]) => ({
    shape,
    data: new Numbers(shape.reduce((a, b) => a * b, 1) + more).fill(0.5),
  }))

const flat = fc.nat({ max: 20 }).map((length) => new Float32Array(length))

const odd = fc.constantFrom<unknown>(
  null,
  undefined,
  7,
  'x',
  {},
  new Uint8Array(3),
  { shape: [3] },
  { shape: [-1], data: [] },
  { shape: [0.5], data: [] },
)

const one = fc.oneof(tensors, regular, nested, flat, odd)
const named = fc.dictionary(fc.constantFrom('x', 'y', 'data', '__proto__'), one)
const given = fc.oneof(
  one,
  one.map((x) => ({ x })),
  named,
)

/** The sequence as it is read, and the shapes in which outputs of every form are given out. */
function read(features: number, x: unknown): unknown {
  const ports = [{ name: 'x', shape: ['batch', 'time', features] }]
  const { tensors, batch, steps, extent, deliver } = readInputs(ports, x as never)
  const { shape, data } = tensors.get('x')!
  expect([batch, steps]).toEqual(shape.slice(0, 2))
  expect(['batch', 'time', 5].map(extent)).toEqual([batch, steps, 5])
  const forms: readonly (readonly Dim[])[] = [
    ['batch', 'time', 2],
    ['batch', 2],
  ]
  const shown = forms.map((form) => {
    const extents = form.map(extent)
    const size = extents.reduce((a, b) => a * b, 1)
    return deliver({ name: 'y', shape: form }, { shape: extents, data: new Float32Array(size) })
  })
  return { shape, data: Array.from(data), shown: shown.map((each) => each.shape) }
}

/** Numbers at the leaves of arrays, or of a tensor, in order. */
function leavesOf(x: unknown): number[] {
  if (typeof x === 'number') return [x]
  if (Array.isArray(x)) return x.flatMap(leavesOf)
  if (ArrayBuffer.isView(x)) return Array.from(x as Float32Array)
  return leavesOf((x as { data: unknown }).data)
}

describe('one sequence', () => {
  it('is read number by number, or refused with a word, whatever is given', () => {
    const seen = { right: 0, wrong: new Set<unknown>() }
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4 }), given, (features, x) => {
        try {
          const { shape, data } = read(features, x) as { shape: number[]; data: number[] }
          const like = Object.hasOwn(Object(x), 'x') ? (x as { x: unknown }).x : x
          expect(shape.length).toBe(3)
          expect(shape[2]).toBe(features)
          expect(shape.reduce((a, b) => a * b)).toBe(data.length)
          expect(data).toEqual(leavesOf(like))
          seen.right++
        } catch (error) {
          if (!isGruvError(error)) throw error
          seen.wrong.add(error.problem)
        }
      }),
      { numRuns: 20_000, seed: 20261127 },
    )
    // The search meets what it is meant to meet, and nothing else.
    expect(seen.right).toBeGreaterThan(1000)
    expect([...seen.wrong].sort()).toEqual([
      'input x is missing',
      'the data does not fill the shape',
      'the input does not fit the model',
      'the input does not fit the model: it is empty',
      'the nested arrays are not a regular block of numbers',
      "there is no input '__proto__'",
      "there is no input 'data'",
      "there is no input 'shape'",
      "there is no input 'y'",
      'this is not a tensor',
    ])
  })

  // What a vector without time is given out as: the axes that the input has, but time.
  it.each<[string, number, unknown, readonly number[], ...(readonly number[])[]]>([
    ['a batch', 3, { shape: [2, 8, 3], data: new Float32Array(48) }, [2, 8, 3], [2, 8, 2], [2, 2]],
    ['one sequence', 3, { shape: [8, 3], data: new Float32Array(24) }, [1, 8, 3], [8, 2], [2]],
    ['one step', 3, [1, 2, 3], [1, 1, 3], [2], [2]],
    ['one number', 1, { shape: [], data: [1] }, [1, 1, 1], [2], [2]],
    ['a row of samples', 1, [[1, 2, 3]], [1, 3, 1], [3, 2], [2]],
    ['samples one behind the other', 3, new Float32Array(12), [1, 4, 3], [4, 2], [2]],
    ['a tensor by its name', 3, { x: [[1, 2, 3]] }, [1, 1, 3], [1, 2], [2]],
  ])('may be %s', (_, features, x, shape, ...shown) => {
    expect(read(features, x)).toMatchObject({ shape, shown })
  })

  const expected = '[batch, time, 3] or [time, 3] or [3]'
  const problem = 'the input does not fit the model'
  const where = 'input x'
  it.each<[string, unknown, object]>([
    [
      'swapped axes',
      { shape: [3, 8], data: new Float32Array(24) },
      { problem, where, expected, got: '[3, 8]', fix: expect.stringMatching(/axes look swapped/) },
    ],
    ['nothing', [], { problem: `${problem}: it is empty`, where, expected, got: '[0]' }],
    ['one axis too many', [[[[1, 2, 3]]]], { problem, where, expected, got: '[1, 1, 1, 3]' }],
    ['by another name', { z: [1, 2, 3] }, { code: 'not-found', expected: 'one of x' }],
    [
      'less than its shape says',
      { shape: [2, 3], data: [1, 2, 3] },
      { where, expected: '6 numbers for [2, 3]', got: '3' },
    ],
    ['ragged', [[1, 2, 3], [1]], { where: 'input x[1]', expected: 'an array of 3' }],
    ['words', ['1', '2', '3'], { where: 'input x[0]', expected: 'a number', got: 'string' }],
  ])('may not be %s', (_, x, fields) => {
    expect(thrownBy(() => read(3, x))).toMatchObject(fields)
  })
})
