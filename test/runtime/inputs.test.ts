/** Inputs of plain models are read as those of any other: the two readers are held to one answer. */

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isGruvError } from '../../src/errors.ts'
import type { Dim, Port } from '../../src/model/types.ts'
import { readInputs } from '../../src/runtime/all-inputs.ts'
import { type ReadInputs, readSequence } from '../../src/runtime/inputs.ts'

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
const named = fc.dictionary(fc.constantFrom('x', 'y', 'data', 'shape', '__proto__'), one)
const given = fc.oneof(
  one,
  one.map((x) => ({ x })),
  named,
)

/** What a reader makes of it, outputs of every form included; or what it says of it. */
function outcome(read: ReadInputs, ports: readonly Port[], x: unknown): unknown {
  try {
    const inputs = read(ports, x as never)
    const { tensors, batch, steps, extent, deliver } = inputs
    const forms: readonly (readonly Dim[])[] = [
      ['batch', 'time', 2],
      ['batch', 'time', 1],
      ['batch', 2],
      ['batch', 1],
    ]
    return {
      tensors: [...tensors],
      batch,
      steps,
      extents: ['batch', 'time', 5].map(extent),
      shown: forms.map((shape) => {
        const extents = shape.map(extent)
        const data = new Float32Array(extents.reduce((a, b) => a * b, 1))
        return deliver({ name: 'y', shape }, { shape: extents, data })
      }),
    }
  } catch (error) {
    if (!isGruvError(error)) return { error }
    const { code, message, problem, where, expected, got, fix } = error
    return { code, message, problem, where, expected, got, fix }
  }
}

describe('the reader of one sequence', () => {
  it('says what the reader of any inputs says, right and wrong', () => {
    const seen = { right: 0, wrong: new Set<unknown>() }
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4 }), given, (features, x) => {
        const ports = [{ name: 'x', shape: ['batch', 'time', features] }]
        const all = outcome(readInputs, ports, x) as { problem?: string }
        expect(outcome(readSequence, ports, x)).toEqual(all)
        if (all.problem === undefined) seen.right++
        else seen.wrong.add(all.problem)
      }),
      { numRuns: 20_000, seed: 20261127 },
    )
    // The search meets what it is meant to meet.
    expect(seen.right).toBeGreaterThan(1000)
    expect([...seen.wrong]).toEqual(
      expect.arrayContaining([
        'the input does not fit the model',
        'the data does not fill the shape',
        'the nested arrays are not a regular block of numbers',
        'this is not a tensor',
        'input x is missing',
        "there is no input 'y'",
      ]),
    )
  })

  it.each([
    ['swapped axes', 3, { shape: [3, 8], data: new Float32Array(24) }],
    ['one number', 1, { shape: [], data: [1] }],
    ['a row of samples', 1, [[1, 2, 3]]],
    ['samples one behind the other', 3, new Float32Array(12)],
    ['a name that is not there', 3, { z: [1, 2, 3] }],
    ['nothing', 3, []],
    ['one axis too many', 3, [[[[1, 2, 3]]]]],
  ])('%s', (_, features, x) => {
    const ports = [{ name: 'x', shape: ['batch', 'time', features] }]
    expect(outcome(readSequence, ports, x)).toEqual(outcome(readInputs, ports, x))
  })
})
