/** Files and folders dropped on the studio, as a person drops them. Skips without Chromium. */

import { fileURLToPath } from 'node:url'
import type { Page } from 'playwright-core'
import { beforeAll, describe, expect, test } from 'vitest'
import { noBrowser, serve, visit } from './support.ts'

const fixtures = fileURLToPath(new URL('../fixtures/keras/', import.meta.url))

/** Real paths from a real drag, which the page needs to read folders. */
async function drop(page: Page, ...files: readonly string[]): Promise<void> {
  const session = await page.context().newCDPSession(page)
  const data = { items: [], files: [...files], dragOperationsMask: 1 }
  for (const type of ['dragEnter', 'dragOver', 'drop'] as const)
    await session.send('Input.dispatchDragEvent', { type, x: 400, y: 300, data })
}

describe.skipIf(noBrowser)('what is dropped', () => {
  let origin: string
  beforeAll(async () => {
    origin = await serve()
  })

  test.each([
    ['a Keras file', 'recurrent-3.8.keras'],
    ['a folder of TF.js', 'tfjs-float32'],
    ['a SavedModel', 'saved-model'],
    ['a checkpoint', 'checkpoint'],
  ])('%s opens', async (_, name) => {
    const { page, complaints } = await visit(origin)
    await drop(page, fixtures + name)
    await page.getByText(/^Unit 0 of/).waitFor()
    expect(complaints).toEqual([])
    await page.close()
  })
})
