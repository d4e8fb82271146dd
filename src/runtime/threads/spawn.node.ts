/** Makes workers in Node. Loaded only there. */

import type { FromWorker } from './messages.ts'
import type { Spawn } from './spawn.ts'

/** What is used of a `Worker` of node:worker_threads. Node's own types would let all of `runtime/` use Node. */
interface NodeWorker {
  on(event: 'message', listener: (message: FromWorker) => void): void
  on(event: 'messageerror' | 'error', listener: (error: Error) => void): void
  on(event: 'exit', listener: (code: number) => void): void
  postMessage(message: unknown, transfer: readonly ArrayBuffer[]): void
  ref(): void
  unref(): void
  terminate(): Promise<number>
}

interface WorkerThreads {
  readonly Worker: new (
    script: URL,
    options: { readonly execArgv: readonly string[] },
  ) => NodeWorker
}

interface Node {
  readonly process: { getBuiltinModule(name: 'node:worker_threads'): WorkerThreads }
}

export const spawnInNode: Spawn = ({ heard, died }) => {
  // Asked for by name, so that bundlers for browsers find nothing of Node to import.
  const { Worker } = (globalThis as unknown as Node).process.getBuiltinModule('node:worker_threads')
  // Without the flags of this process: some, such as `--input-type`, are not for files.
  const worker = new Worker(new URL('./worker.node.js', import.meta.url), { execArgv: [] })
  let over = false
  const gone = (why: string): void => {
    if (!over) died(why)
    over = true
  }
  worker.on('message', heard)
  worker.on('messageerror', () => {
    gone('what it sent could not be read')
    void worker.terminate()
  })
  worker.on('error', (error) => gone(error.message))
  worker.on('exit', (code) => gone(`it ended with code ${code}`))
  return {
    post: (message, transfer) => worker.postMessage(message, transfer),
    hold: (wanted) => (wanted ? worker.ref() : worker.unref()),
    end() {
      over = true
      void worker.terminate()
    },
  }
}
