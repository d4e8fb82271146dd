/** The worker that reads one model and is then ended: a file can keep no other part busy. */

import { loadModel } from './files.ts'
import { plain } from './plain-errors.ts'
import type { FromReader, ToReader } from './reading.ts'

globalThis.addEventListener('message', async ({ data }: MessageEvent<ToReader>) => {
  postMessage(await answer(data))
})

async function answer({ source, options }: ToReader): Promise<FromReader> {
  try {
    return { model: await loadModel(source, options) }
  } catch (error) {
    return { error: plain(error) }
  }
}
