/** The script of a page's worker. It must not import `pool.ts`: bundlers would build it within itself. */

import type { ToWorker } from './messages.ts'
import { serve } from './serve.ts'

// The types are those of a page, where `postMessage` is a window's.
const scope = globalThis as unknown as Pick<Worker, 'postMessage' | 'addEventListener'>
const receive = serve((message, transfer) => scope.postMessage(message, transfer))
scope.addEventListener('message', ({ data }: MessageEvent<ToWorker>) => receive(data))
