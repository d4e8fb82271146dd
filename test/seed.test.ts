/**
 * The seed: the weights of the notebook that gruv grew from, through the command line, under
 * Keras's reading and under the notebook's own.
 */

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readNpy } from '../src/bytes/numpy/npy.ts'
import { gruv, temporaryFolder } from './support/cli.ts'
import { haveShared, sharedPath } from './support/shared.ts'

const seed = (name: string): string => sharedPath(`vectors/seed/${name}`)
const folder = temporaryFolder()

async function run(flags: readonly string[], input = seed('x.npy')): Promise<readonly number[]> {
  const output = join(folder, 'y.npy')
  const { code, stderr } = await gruv([
    'run',
    seed('GRUMatrices.npz'),
    '--input',
    input,
    '--output',
    output,
    ...flags,
  ])
  expect([code, stderr]).toEqual([0, ''])
  return Array.from(readNpy(readFileSync(output)).data)
}

function largestError(actual: readonly number[], file: string): number {
  const expected = readNpy(readFileSync(seed(file))).data
  expect(actual).toHaveLength(expected.length)
  return Math.max(...actual.map((value, i) => Math.abs(value - expected[i])))
}

describe.skipIf(!haveShared)('the seed’s weights (beside the project, absent here)', () => {
  it('as Keras computes them: 1e-6 in f32', async () => {
    expect(largestError(await run([]), 'y_keras_float64.npy')).toBeLessThanOrEqual(1e-6)
  })

  it('as Keras computes them: 1e-12 in f64', async () => {
    expect(
      largestError(await run(['--precision', 'f64']), 'y_keras_float64.npy'),
    ).toBeLessThanOrEqual(1e-12)
  })

  it.each([
    ['y_notebook_columns_float64.npy', ['--reset', 'after']],
    ['y_notebook_reset_before_float64.npy', ['--reset', 'before']],
  ])('%s comes out of its settings to 1e-12', async (file, reset) => {
    const y = await run([...reset, '--update', 'updates', '--bias', 'merged', '--precision', 'f64'])
    expect(largestError(y, file)).toBeLessThanOrEqual(1e-12)
  })

  it('the notebook’s printed step, to all its eight digits', async () => {
    const { notebook_first: first } = JSON.parse(readFileSync(seed('manifest.json'), 'utf8')) as {
      notebook_first: { x_t: readonly number[]; h_expected_printed: readonly number[] }
    }
    const input = join(folder, 'x_t.json')
    writeFileSync(input, JSON.stringify(first.x_t))
    const h = await run(
      ['--reset', 'before', '--update', 'updates', '--bias', 'merged', '--precision', 'f64'],
      input,
    )
    expect(h.map((value) => value.toFixed(8))).toEqual(
      first.h_expected_printed.map((value) => value.toFixed(8)),
    )
  })

  it('verify tells Keras’s outputs from the notebook’s', async () => {
    const verify = (file: string): ReturnType<typeof gruv> =>
      gruv(['verify', seed('GRUMatrices.npz'), '--input', seed('x.npy'), '--expected', seed(file)])
    expect((await verify('y_keras_float64.npy')).code).toBe(0)
    expect((await verify('y_torch_float32.npy')).code).toBe(0)
    expect((await verify('y_notebook_literal_float64.npy')).code).toBe(1)
  })
})
