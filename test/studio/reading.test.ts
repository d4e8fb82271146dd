/** Reading a model in the studio ends by itself, by its deadline, or by the user. */

import { expect, test } from 'vitest'
import { plain } from '../../studio/engine/plain-errors.ts'
import { cancelReading, readApart, type ToReader } from '../../studio/engine/reading.ts'
import { noBrowser, serve, visit } from './support.ts'

const what: ToReader = { source: { urls: ['model.h5'] }, options: {} }

/** A worker that never answers, and tells whether it was ended. */
function silent(): { readonly worker: Worker; readonly ended: () => boolean } {
  let ended = false
  const worker = { postMessage() {}, terminate: () => (ended = true) } as unknown as Worker
  return { worker, ended: () => ended }
}

test('at the deadline the worker is ended, and the error says so', async () => {
  const { worker, ended } = silent()
  const error = await readApart(what, () => worker, 0.01).catch(plain)
  expect(error).toMatchObject({ code: 'too-large', expected: 'at most 0.01 seconds' })
  expect(ended()).toBe(true)
})

test('cancelled: the worker is ended at once', async () => {
  const { worker, ended } = silent()
  const answer = readApart(what, () => worker).catch(plain)
  cancelReading()
  expect(await answer).toMatchObject({ code: 'unreadable', problem: 'reading was cancelled' })
  expect(ended()).toBe(true)
})

test.skipIf(noBrowser)(
  'a file that never comes can be cancelled; the model before it stays',
  async () => {
    const url = await serve(['examples/seattle-weather/layer.npz'])
    const { page, complaints } = await visit(`${new URL('?example', url)}`)
    await page.getByRole('tab', { name: /Check agrees/ }).waitFor()
    // The code of the reader never arrives.
    const before = await page.locator('header strong').textContent()
    await page.context().route('**/reader-*', () => {})
    await page
      .locator('label.file', { hasText: 'Model' })
      .first()
      .locator('input')
      .setInputFiles('examples/seattle-weather/layer.npz')
    await page.getByRole('button', { name: 'Cancel' }).click()
    await page.getByText('reading was cancelled').waitFor()
    expect(await page.locator('header strong').textContent()).toBe(before)
    await page.context().unroute('**/reader-*')
    await page
      .locator('label.file', { hasText: 'Model' })
      .first()
      .locator('input')
      .setInputFiles('examples/seattle-weather/layer.npz')
    await page.getByText('Unit 0 of gru at timestep 0').waitFor()
    expect(complaints).toEqual([])
    await page.close()
  },
  40_000,
)
