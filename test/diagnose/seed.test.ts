/**
 * The notebook that the project started from, with several mistakes at once, on the command line.
 */

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readNpy } from '../../src/bytes/numpy/npy.ts'
import type { Diagnosis } from '../../src/diagnose/index.ts'
import { gruv, temporaryFolder } from '../support/cli.ts'
import { haveShared, sharedPath } from '../support/shared.ts'

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
    const diagnosis = JSON.parse(stdout) as Diagnosis
    const { verdict, candidates, toTellApart } = diagnosis
    expect([code, verdict, toTellApart]).toEqual([0, 'identified', null])
    expect(candidates.map((each) => each.flags)).toEqual([flags])
    expect(Object.keys(diagnosis).slice(0, 3)).toEqual(['verdict', 'candidates', 'toTellApart'])
    expect(candidates[0]).toMatchObject({
      convention: { gateOrder: 'zrn' },
      maxError: expect.any(Number),
    })
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
    const { verdict, candidates, toTellApart } = JSON.parse(stdout) as Diagnosis
    expect([code, verdict]).toEqual([1, 'ambiguous'])
    expect(candidates.map(({ flags }) => flags)).toEqual([
      '--update updates --bias merged',
      '--reset before --update updates --bias merged',
    ])
    const { open, unseen, shown, compensating } = toTellApart!
    expect(open).toEqual([
      { convention: 'reset', title: 'reset gate', values: ['after', 'before'] },
    ])
    // All mistakes of the recurrent kernel, and from step to step.
    expect(unseen.map(({ quirk }) => quirk)).toEqual([
      'transposed-recurrent-kernel',
      'reshaped-recurrent-kernel',
      'lost-column',
      'reversed',
      'backwards',
      'stateless',
    ])
    expect(shown).toEqual([
      { convention: 'gateOrder', value: 'zrn' },
      { convention: 'update', value: 'updates' },
      { convention: 'bias', value: 'merged' },
      { convention: 'activation', value: 'tanh' },
      { convention: 'recurrentActivation', value: 'sigmoid' },
    ])
    // z·n is n·z: with gates and activations exchanged, the first step is the same product.
    expect(compensating.map(({ convention }) => convention)).toMatchObject([
      { gateOrder: 'nrz', activation: 'sigmoid', recurrentActivation: 'tanh', reset: 'after' },
      { gateOrder: 'nrz', activation: 'sigmoid', recurrentActivation: 'tanh', reset: 'before' },
    ])
    // More than one step: only a state shows what one step from zeros leaves open.
    expect(readNpy(readFileSync(ask)).shape.at(-2)).toBeGreaterThan(1)
    // Without --json, the answer says what to do with it.
    const sides = ['--input', x, '--expected', h, '--suggest-input', ask]
    const said = await gruv(['diagnose', seed('GRUMatrices.npz'), ...sides])
    expect(said.stdout).toContain(`${ask} holds an input that tells them apart`)
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
