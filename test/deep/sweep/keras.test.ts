/**
 * Random functional models of Keras 3, with operations between their layers, as `.keras`, `.h5` and
 * for TF.js: all three have the numbers of tools/keras_oracle.py. Needs python3 with h5py and NumPy.
 */

import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { expectOracle, kerasCases } from '../../support/keras-cases.ts'

const MODELS = 400
const tool = fileURLToPath(new URL('../../../tools/make_keras_random.py', import.meta.url))
/** Debian's own Python has its packages, whatever stands before it on the path. */
const python = ['python3', '/usr/bin/python3'].find(
  (each) => spawnSync(each, ['-c', 'import h5py, numpy']).status === 0,
)

describe.skipIf(python === undefined)('random models of Keras 3 in three containers', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gruv-keras-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  it.each([1, 2, 3])(
    'seed %i: no difference from the oracle',
    { timeout: 600_000 },
    async (seed) => {
      const at = join(folder, String(seed))
      const made = spawnSync(python!, [tool, at, String(MODELS), String(seed), '--containers'])
      expect(made.status, String(made.stderr)).toBe(0)
      const cases = kerasCases(at)
      expect(cases.length).toBeGreaterThan(2 * MODELS)
      for (const each of cases) await expectOracle(at, each)
    },
  )
})
if (python === undefined) console.warn('sweep/keras needs python3 with h5py and NumPy')
