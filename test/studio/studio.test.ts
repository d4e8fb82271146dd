/** The studio in a real browser, as users use it. Needs Chromium; skips with a note without it. */

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { readData } from '../../src/data/index.ts'
import { load } from '../../src/index.ts'
import { temporaryFolder } from '../support/cli.ts'
import { haveShared, sharedPath } from '../support/shared.ts'
import { choose, noBrowser, openTab, serve, visit } from './support.ts'

const example = 'examples/seattle-weather'
const seed = (name: string): string => sharedPath(`vectors/seed/${name}`)
const folder = temporaryFolder()
let origin: string

describe.skipIf(noBrowser)('the studio', () => {
  beforeAll(async () => {
    origin = await serve()
  })

  test('a new user opens the example: cell, pictures and a proof, and no request leaves the origin', async () => {
    const { page, requests, complaints } = await visit(origin)
    await page.getByRole('button', { name: 'Open the example' }).click()
    await page.getByRole('tab', { name: /Check agrees/ }).waitFor()
    await page.getByText('Unit 0 of gru at timestep 0').waitFor()
    expect(await page.locator('[data-heatmap]').count()).toBe(4)
    expect(complaints).toEqual([])
    expect(requests.filter((url) => !url.startsWith(origin) && !url.startsWith('blob:'))).toEqual(
      [],
    )
    await page.close()
  })

  test('a click on a heatmap selects unit and timestep everywhere, and in the address', async () => {
    const { page } = await visit(`${origin}?example`)
    const map = page.locator('[data-heatmap=h]')
    await map.waitFor()
    await page.getByRole('button', { name: 'Play' }).waitFor()
    const box = (await map.boundingBox())!
    await map.click({ position: { x: (box.width * 200.5) / 365, y: (box.height * 7.5) / 16 } })
    await page.getByText('Unit 7 of gru at timestep 200').waitFor()
    await expect.poll(() => page.url()).toContain('unit=7&t=200')
    await page.reload()
    await page.getByText('Unit 7 of gru at timestep 200').waitFor()
    await page.close()
  })

  test('step and play move through time', async () => {
    const { page } = await visit(`${origin}?example`)
    await page.getByRole('button', { name: 'One step on' }).click()
    await page.getByText('at timestep 1').waitFor()
    await page.getByRole('button', { name: 'Play' }).click()
    const time = page.getByRole('slider', { name: 'Timestep' })
    await expect.poll(async () => Number(await time.inputValue())).toBeGreaterThan(2)
    await page.getByRole('button', { name: 'Pause' }).click()
    const still = await time.inputValue()
    await page.waitForTimeout(600)
    expect(await time.inputValue()).toBe(still)
    await page.close()
  })

  test('another convention: it says what changes first, and diagnose names it', async () => {
    const { page } = await visit(`${origin}?example#tab=check`)
    await page.locator('[data-verdict=pass]').waitFor()
    await page.getByLabel('update gate').selectOption('updates')
    await page.locator('[data-differs=yes]', { hasText: 'timestep 0' }).waitFor()
    await page.locator('[data-verdict=fail]').waitFor()
    await page.getByRole('button', { name: /Diagnose/ }).click()
    const answer = page.locator('[data-diagnosis=identified]')
    await answer.waitFor()
    expect(await answer.textContent()).toMatch(/update gate: keeps, not updates/)
    await answer.getByRole('button', { name: 'Read it so' }).click()
    await page.locator('[data-verdict=pass]').waitFor()
    await page.close()
  })

  test('a stream answers typed input, and remembers', async () => {
    const { page } = await visit(`${origin}?example#tab=try`)
    await page.getByLabel('Feature 0 as a number').fill('1.5')
    await page.getByRole('button', { name: 'One step', exact: true }).click()
    const output = page.locator('[data-stream=output]')
    await expect.poll(() => output.textContent()).toMatch(/\d\.\d{4}/)
    const first = await output.textContent()
    await page.getByRole('button', { name: 'One step', exact: true }).click()
    await expect.poll(() => output.textContent()).not.toBe(first)
    await page.getByRole('button', { name: 'Forget everything' }).click()
    await page.getByRole('button', { name: 'One step', exact: true }).click()
    await expect.poll(() => output.textContent()).toBe(first)
    await page.close()
  })

  test('saves the model as it is read, and reads it back first', async () => {
    const { page } = await visit(`${origin}?example#tab=check`)
    await page.getByLabel('update gate').selectOption('updates')
    await page.locator('[data-verdict=fail]').waitFor()
    const [saved] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Save model .safetensors' }).click(),
    ])
    await page.getByText('it gives the same numbers').waitFor()
    const path = join(folder, saved.suggestedFilename())
    await saved.saveAs(path)
    const gru = (await load(path)).nodes.find(({ kind }) => kind === 'gru')
    expect(gru).toMatchObject({ update: 'updates' })
    // As a second model it is the same, until the first is read as its file states.
    await choose(page, 'Second model', path)
    const compared = page.locator('section', { hasText: 'Compare with another model' })
    await compared.locator('[data-differs=no]').waitFor()
    await page.getByRole('button', { name: 'Back to how the file is read' }).click()
    await compared.locator('[data-differs=yes]').waitFor()
    await compared.getByText('The first value that differs is the state h').waitFor()
    await compared.getByText(/keeps .* in the first, updates .* in the second/).waitFor()
    await page.close()
  })

  test('statistics: sentences, and a unit is chosen from its row', async () => {
    const { page } = await visit(`${origin}?example#tab=statistics`)
    await page.getByText('What gru does in 365 steps').waitFor()
    await page.getByText(/^The update gate z is below 0.1 in/).waitFor()
    await page.getByRole('button', { name: 'Choose unit 9' }).click()
    await openTab(page, 'Inside')
    await page.getByText('Unit 9 of gru').waitFor()
    await page.close()
  })

  test('saves the outputs, the numbers of the library', async () => {
    const { page } = await visit(`${origin}?example#tab=check`)
    const [saved] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Save .npy' }).click(),
    ])
    const path = join(folder, 'saved.npy')
    await saved.saveAs(path)
    const { data } = (await readData(readFileSync(path), 'saved.npy')).tensors
    const wanted = await readData(readFileSync(`${example}/expected.npy`), 'expected.npy')
    expect(data.data.length).toBe(365)
    for (const [i, value] of data.data.entries())
      expect(Math.abs(value - wanted.tensors.data.data[i])).toBeLessThan(1e-5)
    await page.close()
  })

  test('two models: the layer compared with itself is the same, with another model an error in words', async () => {
    const { page } = await visit(`${origin}?example#tab=check`)
    await page.locator('[data-verdict=pass]').waitFor()
    await choose(page, 'Second model', `${example}/model.safetensors`)
    await page.locator('[data-differs=no]').waitFor()
    await choose(page, 'Second model', `${example}/layer.npz`)
    await page.getByRole('alert').waitFor()
    await page.close()
  })

  test('hostile files: the error says where, what and what to do, and the page lives on', async () => {
    const { page, complaints } = await visit(`${origin}?example`)
    await page.getByRole('tab', { name: /Check agrees/ }).waitFor()
    const bytes = readFileSync(`${example}/model.safetensors`)
    const cases: Readonly<Record<string, Uint8Array>> = {
      'empty.npz': new Uint8Array(0),
      'cut.safetensors': bytes.subarray(0, bytes.length - 100),
      'huge.safetensors': Uint8Array.from([255, 255, 255, 255, 255, 255, 0, 0, 123, 125]),
      'text.json': new TextEncoder().encode('<script>alert(1)</script>'),
      'deep.json': new TextEncoder().encode('['.repeat(100_000)),
      'noise.pt': Uint8Array.from({ length: 5000 }, (_, i) => (i * 7919) % 251),
    }
    for (const [name, content] of Object.entries(cases)) {
      const path = join(folder, name)
      writeFileSync(path, content)
      await choose(page, 'Model', path)
      const alert = page.getByRole('alert')
      await alert.getByText(name).first().waitFor()
      expect(await alert.textContent(), name).not.toContain('should not have happened')
      await alert.getByRole('button', { name: 'Dismiss' }).click()
      await alert.waitFor({ state: 'detached' })
    }
    await page.getByRole('button', { name: 'One step on' }).click()
    await page.getByText('at timestep 1').waitFor()
    expect(complaints).toEqual([])
    await page.close()
  })

  test('an address that leads elsewhere is refused', async () => {
    const { page, requests } = await visit(`${origin}?model=https://example.com/model.npz`)
    await page.getByRole('alert').getByText('only reads from its own server').waitFor()
    expect(requests.filter((url) => url.includes('example.com/'))).toEqual(
      requests.filter((url) => url.startsWith(origin) && url.includes('example.com')),
    )
    await page.close()
  })
})

describe.skipIf(noBrowser || !haveShared)('the studio with the seed of the project', () => {
  test('gruv studio MODEL --input FILE --expected FILE: verify passes', async () => {
    const url = await serve([
      seed('GRUMatrices.npz'),
      '--input',
      seed('x.npy'),
      '--expected',
      seed('y_keras_float64.npy'),
    ])
    const { page, complaints } = await visit(`${url}#tab=check`)
    await page.locator('[data-verdict=pass]').waitFor()
    await openTab(page, 'Model')
    await page.getByText('assumed').first().waitFor()
    expect(complaints).toEqual([])
    await page.close()
  })

  test("with the notebook's convention chosen, verify differs and diagnose names what is wrong", async () => {
    const { page } = await visit(origin)
    await choose(page, 'Choose files', [
      seed('GRUMatrices.npz'),
      seed('x.npy'),
      seed('y_keras_float64.npy'),
    ])
    await openTab(page, 'Check')
    await page.locator('[data-verdict=pass]').waitFor()
    await page.getByLabel('update gate').selectOption('updates')
    await page.locator('[data-verdict=fail]').waitFor()
    await page.getByLabel("candidate's recurrent bias").selectOption('merged')
    await page.locator('[data-verdict=fail]').waitFor()
    await page.getByRole('button', { name: /Diagnose/ }).click()
    const answer = page.locator('[data-diagnosis=identified]')
    await answer.waitFor()
    expect(await answer.textContent()).toMatch(/update gate: keeps, not updates/)
    expect(await answer.textContent()).toMatch(/recurrent bias: separate, not merged/)
    await page.close()
  })
})
