/** Files as users give them: dropped, chosen, as folders, several at once, wrong ones. */

import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Page } from 'playwright-core'
import { beforeAll, describe, expect, test } from 'vitest'
import { writeData } from '../../src/data/index.ts'
import { temporaryFolder } from '../support/cli.ts'
import { choose, noBrowser, openTab, serve, visit } from './support.ts'

const example = 'examples/seattle-weather'
const folder = temporaryFolder()
let origin: string

/** The open files in the header: model, input, expected outputs. */
async function opened(page: Page): Promise<readonly string[]> {
  const notes = page.locator('.header .files small')
  return [await page.locator('.header .title strong').innerText(), ...(await notes.allInnerTexts())]
}

/** Drops files on the page as the system does. */
async function drop(page: Page, files: readonly string[]): Promise<void> {
  const session = await page.context().newCDPSession(page)
  const data = { items: [], files: files.map((path) => resolve(path)), dragOperationsMask: 1 }
  for (const type of ['dragEnter', 'dragOver'] as const)
    await session.send('Input.dispatchDragEvent', { type, x: 200, y: 200, data })
  await page.getByText('Drop a model, its data').waitFor()
  await session.send('Input.dispatchDragEvent', { type: 'drop', x: 200, y: 200, data })
  await page.getByText('Drop a model, its data').waitFor({ state: 'detached' })
}

describe.skipIf(noBrowser)('files in the studio', () => {
  let weather: string

  beforeAll(async () => {
    origin = await serve()
    weather = join(folder, 'weather')
    mkdirSync(weather)
    copyFileSync(`${example}/model.safetensors`, join(weather, 'model.safetensors'))
    copyFileSync(`${example}/input.npy`, join(weather, 'input.npy'))
    copyFileSync(`${example}/expected.npy`, join(weather, 'expected.npy'))
    writeFileSync(join(weather, 'README.md'), '# Weather\n')
    writeFileSync(join(weather, '.DS_Store'), 'x')
    writeFileSync(join(weather, 'labels.txt'), 'sun\nrain\n')
  })

  test('three files are dropped: model, input, expected outputs', async () => {
    const { page, complaints } = await visit(origin)
    await drop(page, [
      `${example}/layer_expected.npy`,
      `${example}/layer.npz`,
      `${example}/input.npy`,
    ])
    await page.getByRole('tab', { name: /Check agrees/ }).waitFor()
    expect(await opened(page)).toEqual(['layer', 'input.npy', 'layer_expected.npy'])
    expect(complaints).toEqual([])
    await page.close()
  })

  test('a folder is dropped: what is no data in it is left alone', async () => {
    const { page, complaints } = await visit(origin)
    await drop(page, [weather])
    await page.getByRole('tab', { name: /Check agrees/ }).waitFor()
    expect(await opened(page)).toEqual(['seattle-weather', 'input.npy', 'expected.npy'])
    expect(complaints).toEqual([])
    await page.close()
  })

  test('a folder is chosen: a model of several files', async () => {
    const { page } = await visit(origin)
    await choose(page, 'Choose a folder', 'test/fixtures/keras/tfjs-float32')
    await page.getByText(/^Unit 0 of/).waitFor()
    expect((await opened(page))[0]).toBe('model')
    await page.close()
  })

  test('a model without data gets an input that is made up, and the page says so', async () => {
    const { page } = await visit(origin)
    await drop(page, [`${example}/layer.npz`])
    await page.getByText('The input is made up').waitFor()
    await page.getByText('Before you trust these numbers').waitFor()
    await drop(page, [`${example}/input.npy`])
    await page.getByText('The input is made up').waitFor({ state: 'detached' })
    expect(await opened(page)).toEqual(['layer', 'input.npy', 'none'])
    await page.close()
  })

  test('an input that does not fit is an error in sight, and the model stays open', async () => {
    const { page } = await visit(origin)
    const wrong = join(folder, 'x.npy')
    const data = new Float32Array(30)
    writeFileSync(wrong, await writeData({ x: { shape: [10, 3], data } }, 'x.npy'))
    await choose(page, 'Choose files', [`${example}/layer.npz`, wrong])
    const alert = page.getByRole('alert')
    await alert.getByText('[10, 3]').waitFor()
    await page.getByText('The input is made up').waitFor()
    await openTab(page, 'Check')
    await alert.getByRole('button', { name: 'Dismiss' }).click()
    await page.evaluate(() => scrollTo(0, document.body.scrollHeight))
    await choose(page, 'Input', wrong)
    await alert.waitFor()
    await expect.poll(() => alert.evaluate(inSight)).toBe(true)
    await page.close()
  })

  test('another input: the expected outputs of the old one are dropped', async () => {
    const { page } = await visit(`${origin}?example`)
    await page.getByRole('tab', { name: /Check agrees/ }).waitFor()
    const short = join(folder, 'short.npy')
    const data = Float32Array.from({ length: 60 }, (_, i) => Math.sin(i))
    writeFileSync(short, await writeData({ x: { shape: [10, 6], data } }, 'short.npy'))
    await choose(page, 'Input', short)
    await page.getByText('of 0 … 9').waitFor()
    await expect.poll(() => opened(page)).toEqual(['seattle-weather', 'short.npy', 'none'])
    await page.close()
  })

  test('a file of several modules: the error asks for one, and opens it', async () => {
    const { page } = await visit(origin)
    await choose(page, 'Choose files', 'test/fixtures/pytorch/two.pt')
    const alert = page.getByRole('alert')
    const said = await alert.innerText()
    const name = /([\w.]+): (GRU|LSTM|RNN)/.exec(said)![1]
    await alert.getByLabel('Module').fill(name)
    await alert.getByRole('button', { name: 'Open it so' }).click()
    await page.getByText(/^Unit 0 of/).waitFor()
    expect(await alert.count()).toBe(0)
    await page.close()
  })
})

function inSight(element: Element): boolean {
  const { top } = element.getBoundingClientRect()
  return top >= 0 && top < innerHeight / 2
}
