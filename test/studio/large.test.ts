/**
 * Large files and long sequences: the page stays responsive and shows its progress; the lengths of
 * frames are measured and reported.
 */

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { describe, expect, test } from 'vitest'
import { writeData } from '../../src/data/index.ts'
import { temporaryFolder } from '../support/cli.ts'
import { choose, noBrowser, openTab, serve, visit } from './support.ts'

const folder = temporaryFolder()

describe.skipIf(noBrowser)('large things in the studio', () => {
  test('100,000 steps: scrubbing while they are traced and after, frames are told', async () => {
    const steps = 100_000
    const long = join(folder, 'long.npy')
    writeFileSync(long, await writeData({ x: longInput(steps) }, 'long.npy'))
    const { page, complaints } = await visit(`${await serve()}?example`)
    await page.getByRole('tab', { name: /Check agrees/ }).waitFor()
    const begin = Date.now()
    await choose(page, 'Input', long)
    await page.getByText('of 0 … 99,999').waitFor()
    const shown = Date.now() - begin
    await page.locator('.timeline progress').waitFor()
    const meanwhile = await page.evaluate(scrub, 60)
    await page.locator('.timeline progress').waitFor({ state: 'detached', timeout: 100_000 })
    const whole = Date.now() - begin
    const after = await page.evaluate(scrub, 180)
    console.info(
      `studio: 100,000 steps shown after ${shown} ms, traced after ${whole} ms; frames while scrubbing: ${told(after)}; while it is traced: ${told(meanwhile)}`,
    )
    // The drawing shows the last position of the slider.
    await page.getByRole('slider', { name: 'Timestep' }).fill('77777')
    await page.getByText('at timestep 77777').waitFor()
    // Every view takes that many steps.
    await openTab(page, 'Statistics')
    await page.getByText('does in 100,000 steps').waitFor()
    await openTab(page, 'Check')
    await page.getByRole('button', { name: 'Run', exact: true }).click()
    await page.getByText('[1, 100,000, 1]').or(page.getByText('[1, 100000, 1]')).waitFor()
    // A search without an answer takes longest: it ends, and the page responds meanwhile.
    const wrong = join(folder, 'y.npy')
    const data = Float32Array.from({ length: steps }, (_, i) => Math.sin(i / 30))
    writeFileSync(wrong, await writeData({ y: { shape: [steps, 1], data } }, 'y.npy'))
    await choose(page, 'Expected outputs', wrong)
    await page.locator('[data-verdict=fail]').waitFor()
    await page.getByRole('button', { name: /Diagnose/ }).click()
    await page.getByRole('status').getByText('Searching for the mistake').waitFor()
    const searching = await page.evaluate(scrub, 60)
    const answer = page.locator('[data-diagnosis]')
    await answer.waitFor({ timeout: 60_000 })
    expect(['none', 'not finished']).toContain(await answer.getAttribute('data-diagnosis'))
    console.info(`studio: frames while scrubbing during a search: ${told(searching)}`)
    expect(complaints).toEqual([])
    await page.close()
  }, 120_000)

  test('a model of 50 MB: every view comes, and the page answers in between', async () => {
    const model = join(folder, 'large.npz')
    writeFileSync(model, await writeData(largeLayer(64, 2000), 'large.npz'))
    const { page, complaints } = await visit(await serve())
    const beats = await watchFrames(page)
    await choose(page, 'Choose files', model)
    await page.getByRole('status').getByText('Reading the model').waitFor()
    await page.getByText('Unit 0 of gru at timestep 0').waitFor({ timeout: 60_000 })
    await openTab(page, 'Weights')
    await page.getByText('[2000, 2000]').first().waitFor({ timeout: 60_000 })
    await openTab(page, 'Statistics')
    await page.getByText('does in 60 steps').waitFor({ timeout: 60_000 })
    await openTab(page, 'Inside')
    await page.getByRole('button', { name: 'One step on' }).click()
    await page.getByText('at timestep 1').waitFor()
    console.info(`studio: a model of 50 MB, frames while its views open: ${told(await beats())}`)
    expect(complaints).toEqual([])
    await page.close()
  }, 120_000)
})

/** Moves the slider on every frame. @returns the length of each frame in milliseconds. */
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

/** Records every frame from now on. @returns a function that stops it and returns their lengths. */
async function watchFrames(page: Page): Promise<() => Promise<number[]>> {
  await page.evaluate(() => {
    const frames: number[] = []
    let before = performance.now()
    const next = (now: number): void => {
      frames.push(now - before)
      before = now
      requestAnimationFrame(next)
    }
    requestAnimationFrame(next)
    Object.assign(globalThis, { frames })
  })
  return () => page.evaluate(() => (globalThis as unknown as { frames: number[] }).frames)
}

function told(frames: readonly number[]): string {
  const sorted = frames.toSorted((a, b) => a - b)
  const at = (share: number): string => sorted[Math.floor(share * (sorted.length - 1))].toFixed(1)
  const long = sorted.filter((frame) => frame > 50).length
  return `median ${at(0.5)}, 95 % ${at(0.95)}, longest ${at(1)} ms, ${long} of ${sorted.length} above 50 ms`
}

function longInput(steps: number): { shape: number[]; data: Float32Array } {
  const data = Float32Array.from({ length: steps * 6 }, (_, i) => Math.sin(i / 40) * 2)
  return { shape: [steps, 6], data }
}

/** A bare layer with the arrays of Keras. */
function largeLayer(
  features: number,
  units: number,
): Record<string, { shape: number[]; data: Float32Array }> {
  const array = (...shape: number[]): { shape: number[]; data: Float32Array } => {
    const size = shape.reduce((a, b) => a * b, 1)
    return { shape, data: Float32Array.from({ length: size }, (_, i) => Math.sin(i * 7.3) / 40) }
  }
  return {
    wMatrix: array(features, 3 * units),
    uMatrix: array(units, 3 * units),
    biases: array(2, 3 * units),
  }
}
