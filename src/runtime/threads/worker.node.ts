/** The script of a worker thread in Node. */

import { parentPort } from 'node:worker_threads'
import type { ToWorker } from './messages.ts'
import { serve } from './serve.ts'

const port = parentPort!
const receive = serve((message, transfer) => port.postMessage(message, transfer))
port.on('message', (message: ToWorker) => receive(message))
