/** `gruv/diagnose`: mistakes planted one by one, and the seed's notebook, which had several at once. */

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readNpy } from '../../src/bytes/npy.ts'
import {
  applyQuirks,
  type Diagnosis,
  diagnose,
  hypothesisTable,
  withRunQuirks,
} from '../../src/diagnose/index.ts'
import { compileSync } from '../../src/index.ts'
import {
  bidirectional,
  dense,
  type GruOptions,
  type Model,
  sequential,
} from '../../src/model/index.ts'
import { gruv, temporaryFolder } from '../support/cli.ts'
import { random, randomGru, tensor } from '../support/random.ts'
import { haveShared, sharedPath } from '../support/shared.ts'

/** A layer in the form of options, as `bidirectional` takes its halves. */
function half(seed: number, features: number, units: number): GruOptions {
  const next = random(seed)
  return {
    kernel: tensor(next, [features, 3 * units]),
    recurrentKernel: tensor(next, [units, 3 * units]),
    bias: tensor(next, [2, 3 * units]),
  }
}

/** Models on which the mistakes of the table can happen, the plain layer first. */
const models: readonly Model[] = [
  sequential([randomGru(31, 3, 4)]),
  sequential([randomGru(32, 4, 4)]),
  sequential([randomGru(33, 3, 4), dense({ kernel: tensor(random(34), [4, 4]) })]),
  sequential([bidirectional({ forward: half(35, 3, 4), backward: half(36, 3, 4) })]),
]

/** The first model that can have the quirk, with it and its run planted. */
function plant(quirk: string): { model: Model; diagnosis: Diagnosis } | null {
  for (const model of models) {
    let planted: Model
    try {
      planted = applyQuirks(model, [quirk])
    } catch {
      continue
    }
    const features = model.inputs[0].shape.at(-1) as number
    const input = tensor(random(37), [3, 12, features])
    const program = withRunQuirks(compileSync(planted, { precision: 'f64' }), [quirk])
    const expected = program.predict(input).y
    return { model, diagnosis: diagnose(model, { input, expected, conventionFlags: false }) }
  }
  return null
}

describe('each mistake of the table, planted in a random model', () => {
  for (const [name, { values }] of Object.entries(hypothesisTable)) {
    for (const value of values.length === 0 ? [null] : values) {
      const quirk = value === null ? name : `${name}=${value}`
      it(`${quirk} is found, or stands among what the data cannot tell apart`, () => {
        const found = plant(quirk)
        expect(found, 'a model that can have it').not.toBeNull()
        const { verdict, candidates } = found!.diagnosis
        expect(verdict).not.toBe('none')
        // A value that is the model's own changes nothing: then it is the model as it is.
        const fits = candidates.filter(({ flags }) => flags.includes(name) || flags === '')
        expect(fits.length).toBeGreaterThan(0)
        if (verdict === 'identified') expect(candidates).toHaveLength(1)
      })
    }
  }

  it('numbers of another network are explained by nothing, and the nearest is named', () => {
    const input = tensor(random(38), [12, 3])
    const expected = compileSync(sequential([randomGru(99, 3, 4)]), { precision: 'f64' }).predict(
      input,
    ).y
    const { verdict, candidates, explanation } = diagnose(models[0], { input, expected })
    expect([verdict, candidates.length]).toEqual(['none', 1])
    expect(explanation!.leavesAt).not.toBeNull()
    expect(explanation!.hints.length).toBeGreaterThan(0)
  })
})

describe.skipIf(!haveShared)('the seed’s notebook (beside the project, absent here)', () => {
  const seed = (name: string): string => sharedPath(`vectors/seed/${name}`)
  const folder = temporaryFolder()
  const run = (expected: string, ...flags: readonly string[]): ReturnType<typeof gruv> =>
    gruv([
      'diagnose',
      seed('GRUMatrices.npz'),
      '--input',
      seed('x.npy'),
      '--expected',
      expected,
      ...flags,
    ])

  it.each([
    ['y_keras_float64.npy', ''],
    ['y_torch_float32.npy', ''],
    ['y_notebook_columns_float64.npy', '--update updates --bias merged'],
    ['y_notebook_reset_before_float64.npy', '--reset before --update updates --bias merged'],
    ['y_notebook_literal_float64.npy', '--update updates --bias merged --quirk lost-column'],
  ])('%s is identified, and its flags reproduce it', async (file, flags) => {
    const { code, stdout } = await run(seed(file), '--json')
    const { verdict, candidates } = JSON.parse(stdout) as Diagnosis
    expect([code, verdict, candidates[0].flags]).toEqual([0, 'identified', flags])
    const output = join(folder, 'y.npy')
    const words = flags.split(' ').filter((word) => word !== '')
    await gruv([
      'run',
      seed('GRUMatrices.npz'),
      '--input',
      seed('x.npy'),
      '--output',
      output,
      '--precision',
      'f64',
      ...words,
    ])
    const [actual, expected] = [output, seed(file)].map((path) => readNpy(readFileSync(path)).data)
    expected.forEach((value, i) => expect(Math.abs(actual[i] - value)).toBeLessThan(1e-6))
  })

  it('the printed step: ambiguous, with the reset open and the update and the bias shown', async () => {
    const { notebook_first: first } = JSON.parse(readFileSync(seed('manifest.json'), 'utf8')) as {
      notebook_first: { x_t: readonly number[]; h_expected_printed: readonly number[] }
    }
    const [x, h, ask] = ['x.json', 'h.json', 'ask.npy'].map((name) => join(folder, name))
    writeFileSync(x, JSON.stringify(first.x_t))
    writeFileSync(h, JSON.stringify(first.h_expected_printed))
    const { code, stdout } = await gruv([
      'diagnose',
      seed('GRUMatrices.npz'),
      '--input',
      x,
      '--expected',
      h,
      '--json',
      '--suggest-input',
      ask,
    ])
    const { verdict, toTellApart } = JSON.parse(stdout) as Diagnosis
    expect([code, verdict]).toEqual([1, 'ambiguous'])
    expect(toTellApart!.open.map(({ convention }) => convention)).toContain('reset')
    expect(toTellApart!.shown).toEqual(
      expect.arrayContaining([
        { convention: 'update', value: 'updates' },
        { convention: 'bias', value: 'merged' },
      ]),
    )
    // More than one step: what one step from zeros leaves open needs a state to be seen.
    expect(readNpy(readFileSync(ask)).shape.at(-2)).toBeGreaterThan(1)
  })

  it('verify points to it in one line', async () => {
    const { code, stdout } = await gruv([
      'verify',
      seed('GRUMatrices.npz'),
      '--input',
      seed('x.npy'),
      '--expected',
      seed('y_notebook_columns_float64.npy'),
    ])
    expect(code).toBe(1)
    expect(stdout).toContain('gruv diagnose identifies: --update updates --bias merged')
  })
})
