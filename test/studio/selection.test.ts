/** The selection: it is in the address, a reload keeps it, and answers lead to it. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { temporaryFolder } from '../support/cli.ts'
import { choose, noBrowser, openTab, serve, visit } from './support.ts'

const folder = temporaryFolder()
/** Two recurrent layers, of which the second has other units. */
const stack = 'test/fixtures/keras/recurrent-3.8.keras'
let origin: string

describe.skipIf(noBrowser)('what is looked at', () => {
  beforeAll(async () => {
    origin = await serve()
  })

  test('view, layer, unit, step, zoom and conventions outlive a reload', async () => {
    const { page } = await visit(`${origin}?example#tab=check`)
    await page.locator('[data-verdict=pass]').waitFor()
    await page.getByLabel('update gate').selectOption('updates')
    await page.locator('[data-verdict=fail]').waitFor()
    await openTab(page, 'Inside')
    await page.getByRole('slider', { name: 'Timestep' }).fill('200')
    await page.getByRole('spinbutton', { name: 'Unit' }).fill('5')
    await page.getByRole('button', { name: 'Zoom in' }).click()
    const zoomed = await page.getByText(/^steps \d+ … \d+$/).innerText()
    await expect.poll(() => page.url()).toMatch(/unit=5&t=200&from=\d+&to=\d+&read=update/)
    await page.reload()
    await page.getByText('Unit 5 of gru at timestep 200').waitFor()
    await page.getByText(zoomed).waitFor()
    await page.getByRole('tab', { name: /Check differs/ }).waitFor()
    await page.close()
  })

  test('another address of the same page is followed; numbers out of range are clamped', async () => {
    const { page, complaints } = await visit(`${origin}?example`)
    await page.getByText('Unit 0 of gru at timestep 0').waitFor()
    await page.evaluate(() => {
      location.hash = '#tab=cell&unit=7&t=42'
    })
    await page.getByText('Unit 7 of gru at timestep 42').waitFor()
    await page.evaluate(() => {
      location.hash = '#tab=nowhere&layer=none&unit=9999&t=1e9&from=9&to=3'
    })
    await page.getByText('Unit 15 of gru at timestep 364').waitFor()
    expect(complaints).toEqual([])
    await page.close()
  })

  test('a click on the graph looks inside, and the address has the layer', async () => {
    const { page } = await visit(origin)
    await choose(page, 'Choose files', stack)
    await page.getByText(/^Unit 0 of/).waitFor()
    await page.locator('.timeline select').waitFor()
    const names = await page.locator('.timeline select option').allInnerTexts()
    expect(names.length).toBeGreaterThan(1)
    await openTab(page, 'Model')
    const last = names.at(-1)!
    await page.locator('svg.graph g.cell').last().click()
    await page.getByText(`of ${last} at`).waitFor()
    await expect.poll(() => page.url()).toContain(`layer=${encodeURIComponent(last)}`)
    const there = new URL(page.url()).hash
    await page.locator('.timeline select').selectOption(names[0])
    await page.getByText(`of ${names[0]} at`).waitFor()
    await expect.poll(() => page.url()).toContain(`layer=${encodeURIComponent(names[0])}&`)
    await page.evaluate((hash) => {
      location.hash = hash
    }, there)
    await page.getByText(`of ${last} at`).waitFor()
    await page.close()
  })

  test('weights, statistics and the first difference lead to the same unit and step', async () => {
    const { page } = await visit(`${origin}?example`)
    await openTab(page, 'Weights')
    const matrix = page.locator('.matrix canvas').first()
    const box = (await matrix.boundingBox())!
    await matrix.click({ position: { x: (box.width * 11.5) / 16, y: 5 } })
    await page.getByText('the outlined one is unit 11').waitFor()
    await openTab(page, 'Check')
    await page.getByLabel('gate order').selectOption('zrn')
    await page.getByRole('button', { name: /^Look at [zrnh] of unit/ }).click()
    await page.getByText(/^Unit \d+ of gru at timestep 0/).waitFor()
    await page.close()
  })

  test('the report has the gates, the error and what differs; nothing in it runs', async () => {
    const { page } = await visit(`${origin}?example#tab=check`)
    await page.locator('[data-verdict=pass]').waitFor()
    await page.getByLabel('update gate').selectOption('updates')
    await page.locator('[data-verdict=fail]').waitFor()
    const [saved] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Save report' }).click(),
    ])
    expect(saved.suggestedFilename()).toBe('seattle-weather-report.html')
    const path = join(folder, saved.suggestedFilename())
    await saved.saveAs(path)
    const html = readFileSync(path, 'utf8')
    expect(html).toContain('What differs')
    expect(html).toContain('update gate')
    expect(html).not.toMatch(/<script/)
    const { page: report, complaints } = await visit(`file://${path}`)
    expect(await report.locator('figure svg').count()).toBeGreaterThan(3)
    expect(complaints).toEqual([])
    await report.close()
    await page.close()
  })

  test('the output is drawn: the stream follows the pointer', async () => {
    const { page } = await visit(`${origin}?example#tab=try`)
    const pad = page.locator('.pad')
    await pad.scrollIntoViewIfNeeded()
    const box = (await pad.boundingBox())!
    const middle = box.x + box.width / 2
    await page.mouse.move(middle, box.y + box.height / 2)
    await page.mouse.down()
    await page.mouse.move(middle, box.y + box.height * 0.1, { steps: 5 })
    const output = page.locator('[data-stream=output]')
    const numbers = new Set<string>()
    for (let i = 0; i < 8; i++) {
      await page.waitForTimeout(70)
      numbers.add(await output.innerText())
    }
    await page.mouse.up()
    expect(numbers.size).toBeGreaterThan(2)
    expect(Number(await page.getByLabel('Feature 0 as a number').inputValue())).toBeGreaterThan(2)
    await page.close()
  })
})
