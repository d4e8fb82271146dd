/** Other people's models in the studio, and a long sequence. Skips without Chromium or shared data. */

import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { writeData } from '../../src/data/index.ts'
import { isGruvError, load } from '../../src/index.ts'
import { temporaryFolder } from '../support/cli.ts'
import { haveShared, sharedPath } from '../support/shared.ts'
import { choose, noBrowser, openTab, serve, visit } from './support.ts'

const folder = temporaryFolder()
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

describe.skipIf(noBrowser)('100,000 steps', () => {
  const steps = 100_000

  test('the page stays awake: scrubbing is measured and told', async () => {
    const long = join(folder, 'long.npy')
    writeFileSync(long, await writeData({ x: longInput(steps) }, 'long.npy'))
    const { page } = await visit(`${await serve()}?example`)
    await page.getByRole('tab', { name: /Check agrees/ }).waitFor()
    const begin = Date.now()
    await choose(page, 'Input', long)
    await page.getByText('of 0 … 99,999').waitFor()
    const shown = Date.now() - begin
    await page.locator('.timeline progress').waitFor({ state: 'detached', timeout: 100_000 })
    const whole = Date.now() - begin
    const frames = await page.evaluate(scrub, 120)
    frames.sort((a, b) => a - b)
    const at = (share: number): string => frames[Math.floor(share * (frames.length - 1))].toFixed(1)
    console.info(
      `studio: 100,000 steps shown after ${shown} ms, traced after ${whole} ms; frames while scrubbing: median ${at(0.5)}, 95 % ${at(0.95)}, longest ${at(1)} ms`,
    )
    // The number that the slider came to rest on is the one that is drawn.
    await page.getByRole('slider', { name: 'Timestep' }).fill('77777')
    await page.getByText('at timestep 77777').waitFor()
    await page.close()
  }, 120_000)
})

/** Moves the slider on every frame; how long each frame took, in milliseconds. */
async function scrub(count: number): Promise<number[]> {
  const slider = document.querySelector<HTMLInputElement>('input[aria-label=Timestep]')!
  const frames: number[] = []
  let before = await new Promise<number>(requestAnimationFrame)
  for (let i = 0; i < count; i++) {
    slider.value = String(Math.round((Number(slider.max) * i) / count))
    slider.dispatchEvent(new Event('input', { bubbles: true }))
    const now = await new Promise<number>(requestAnimationFrame)
    frames.push(now - before)
    before = now
  }
  return frames
}

function longInput(steps: number): { shape: number[]; data: Float32Array } {
  const data = Float32Array.from({ length: steps * 6 }, (_, i) => Math.sin(i / 40) * 2)
  return { shape: [steps, 6], data }
}

async function hasReader(path: string): Promise<boolean> {
  try {
    await load(new Uint8Array(readFileSync(path)))
    return true
  } catch (error) {
    // A format that nobody reads is taken for arrays, which then are none.
    if (isGruvError(error) && ['unsupported', 'bad-shape'].includes(error.code)) return false
    throw error
  }
}
