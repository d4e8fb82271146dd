/** Other people's models in the studio. Skips without Chromium or shared data. */

import { existsSync, readFileSync } from 'node:fs'
import { beforeAll, describe, expect, test } from 'vitest'
import { isGruvError, load } from '../../src/index.ts'
import { haveShared, sharedPath } from '../support/shared.ts'
import { choose, noBrowser, openTab, serve, visit } from './support.ts'

let origin: string

const models = [
  ['toxic-gru', 'gru_model.keras', 'x_random.npy', 'y_random_float64.npy'],
  ['lung-cancer', 'best_gru_model.h5', 'x_real.npy', 'y_real_float64.npy'],
  ['lung-cancer', 'best_gru_model.keras', 'x_random.npy', 'y_random_float64.npy'],
  ['rtneural-centaur-small', 'centaur_small.json', 'x.npy', 'y_float64.npy'],
] as const

describe.skipIf(noBrowser || !haveShared)('published models in the studio', () => {
  beforeAll(async () => {
    origin = await serve()
  })

  test.for(models)('%s, %s: opens, shows its cell, agrees', async ([name, ...files], { skip }) => {
    const [model, input, expected] = files.map((file) => sharedPath(`models/${name}/${file}`))
    skip(!existsSync(model), `${name} is not there`)
    skip(!(await hasReader(model)), `no reader of ${files[0]} yet`)
    const { page, complaints } = await visit(origin)
    await choose(page, 'Choose files', [model])
    await page.getByText(/^Unit 0 of/).waitFor()
    await choose(page, 'Input', input)
    await choose(page, 'Expected outputs', expected)
    await openTab(page, 'Check')
    await page.locator('[data-verdict=pass]').waitFor()
    await openTab(page, 'Weights')
    await page.getByText('Recurrent weights').waitFor()
    expect(complaints).toEqual([])
    await page.close()
  })
})

async function hasReader(path: string): Promise<boolean> {
  try {
    await load(new Uint8Array(readFileSync(path)))
    return true
  } catch (error) {
    // An unknown format is read as arrays, of which there are none.
    if (isGruvError(error) && ['unsupported', 'bad-shape'].includes(error.code)) return false
    throw error
  }
}
