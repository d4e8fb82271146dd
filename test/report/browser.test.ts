/**
 * Reports in a real browser: an automated accessibility check, in light and dark and on a phone.
 */

import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readNpy } from '../../src/bytes/numpy/npy.ts'
import { load } from '../../src/index.ts'
import { type Model, sequential } from '../../src/model/index.ts'
import { plot, plotKinds, report } from '../../src/report/index.ts'
import type { Tensor } from '../../src/tensor.ts'
import { compareModels } from '../../src/trace/index.ts'
import { verify } from '../../src/verify/index.ts'
import { haveBrowser, launchBrowser } from '../support/browser.ts'
import { randomLstm, randomRnn, randomTensor } from '../support/random.ts'
import { haveShared, sharedPath } from '../support/shared.ts'

const example = 'examples/seattle-weather'
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

const bothSchemes: readonly ('light' | 'dark')[] = ['light', 'dark']

interface Case {
  readonly model: Model
  readonly x: Tensor
  readonly expected?: Tensor
}

const array = (path: string): Tensor => readNpy(readFileSync(path))

async function weather(): Promise<Case> {
  return {
    model: await load(readFileSync(`${example}/model.safetensors`)),
    x: array(`${example}/input.npy`),
    expected: array(`${example}/expected.npy`),
  }
}

// Checking a long page takes seconds, and more on a busy machine.
describe.skipIf(!haveBrowser)('in a browser (none found here)', { timeout: 120_000 }, () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await launchBrowser()
  })
  afterAll(async () => {
    await browser?.close()
  })

  /** The findings of axe, and the requests of the page other than for itself. */
  async function look(html: string, width = 1000, schemes = bothSchemes): Promise<void> {
    for (const colorScheme of schemes) {
      const page = await browser.newPage({ colorScheme, viewport: { width, height: 900 } })
      const asked: string[] = []
      page.on('request', (request) => {
        if (!request.url().startsWith('data:')) asked.push(request.url())
      })
      const wrong: string[] = []
      page.on('console', (message) => {
        if (message.type() === 'error') wrong.push(message.text())
      })
      await page.setContent(html)
      await page.evaluate(axe)
      const violations = await page.evaluate(async () => {
        const { run } = (window as unknown as { axe: { run(): Promise<AxeResults> } }).axe
        const found = await run()
        return found.violations.map(({ id, nodes }) => `${id}: ${nodes[0].html}`)
      })
      expect(violations).toEqual([])
      expect(asked).toEqual([])
      expect(wrong).toEqual([])
      const wide = await page.evaluate(() => document.documentElement.scrollWidth)
      expect(wide, 'the page itself never scrolls sideways').toBeLessThanOrEqual(width)
      await page.close()
    }
  }

  it('the example: accessible in light and dark, on a desk and on a phone', async () => {
    const { model, x, expected } = await weather()
    const html = await report(model, x, {
      verdict: verify(model, { input: x, expected: expected! }),
    })
    await look(html)
    await look(html, 360, ['light'])
  })

  it('an LSTM with masked steps, and a simple RNN behind it', async () => {
    const model = sequential([randomLstm(1, 3, 9), randomRnn(2, 9, 70)])
    const mask = [Array.from({ length: 40 }, (_, t) => t % 7 > 0)]
    await look(await report(model, randomTensor(3, [1, 40, 3]), { mask }), 1000, ['dark'])
  })

  it('in print: on white, whatever the scheme, and nothing cut off', async () => {
    const model = sequential([randomLstm(1, 3, 40), randomRnn(2, 40, 70)])
    const html = await report(model, randomTensor(3, [1, 40, 3]))
    // A4 with margins of 15 mm.
    const page = await browser.newPage({
      colorScheme: 'dark',
      viewport: { width: 680, height: 900 },
    })
    await page.setContent(html)
    await page.emulateMedia({ media: 'print', colorScheme: 'dark' })
    const found = await page.evaluate(() => ({
      paper: getComputedStyle(document.body).backgroundColor,
      wide: document.documentElement.scrollWidth,
      hidden: [...document.querySelectorAll('.wide')]
        .filter((each) => each.scrollHeight > each.clientHeight + 1)
        .map((each) => each.getAttribute('aria-label')),
    }))
    expect(found).toEqual({ paper: 'rgb(255, 255, 255)', wide: 680, hidden: [] })
    await page.close()
  })

  it('every single picture, as SVG and as PNG, shows something', async () => {
    const { model, x, expected } = await weather()
    const verdict = verify(model, { input: x, expected: expected! })
    const page = await browser.newPage()
    for (const kind of plotKinds) {
      for (const format of ['svg', 'png'] as const) {
        const bytes = await plot(model, x, kind, { format, verdict })
        const type = format === 'svg' ? 'image/svg+xml' : 'image/png'
        const size = await draw(
          page,
          `data:${type};base64,${Buffer.from(bytes).toString('base64')}`,
        )
        expect(size.width, `${kind}.${format}`).toBeGreaterThan(700)
        expect(size.colours, `${kind}.${format}`).toBeGreaterThan(8)
      }
    }
    await page.close()
  })

  describe.skipIf(!haveShared)('other people’s models (beside the project, absent here)', () => {
    it('the seed: the notebook’s reading against Keras’s', async () => {
      const bytes = readFileSync(sharedPath('vectors/seed/GRUMatrices.npz'))
      const notebook = await load(bytes, {
        conventions: { reset: 'before', update: 'updates', bias: 'merged' },
      })
      const x = array(sharedPath('vectors/seed/x.npy'))
      const comparison = compareModels(notebook, await load(bytes), x)
      const html = await report(notebook, x, { comparison })
      expect(html).toContain('The first value that differs is the candidate n of gru, at t = 0')
      await look(html)
    })

    const models = [
      ['toxic-gru', 'gru_model.keras', 'x_random.npy', 'y_random_float64.npy'],
      ['circuit-rnn', 'gru_model.h5', 'x_random.npy', 'y_random_float64.npy'],
      ['rtneural-centaur-small', 'centaur_small.json', 'x.npy', 'y_float64.npy'],
    ] as const
    for (const [name, file, input, output] of models) {
      const path = (part: string): string => sharedPath(`models/${name}/${part}`)
      it.skipIf(!existsSync(path(file)))(name, async ({ skip }) => {
        const model = await load(readFileSync(path(file))).catch(() => null)
        if (model === null) return skip('there is no reader for its format yet')
        const [x, expected] = [array(path(input)), array(path(output))]
        await look(await report(model, x, { verdict: verify(model, { input: x, expected }) }))
      })
    }
  })
})

interface AxeResults {
  readonly violations: readonly {
    readonly id: string
    readonly nodes: readonly { readonly html: string }[]
  }[]
}

/** The size of a picture, and how many colours are in it. */
function draw(page: Page, url: string): Promise<{ width: number; colours: number }> {
  return page.evaluate(async (source) => {
    const image = new Image()
    image.src = source
    await image.decode()
    const canvas = document.createElement('canvas')
    canvas.width = image.naturalWidth
    canvas.height = image.naturalHeight
    const context = canvas.getContext('2d')!
    context.drawImage(image, 0, 0)
    const { data } = context.getImageData(0, 0, canvas.width, canvas.height)
    const colours = new Set<number>()
    for (let i = 0; i < data.length; i += 4)
      colours.add((data[i] << 16) | (data[i + 1] << 8) | data[i + 2])
    return { width: image.naturalWidth, colours: colours.size }
  }, url)
}
