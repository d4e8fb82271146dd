/** Makes workers in Node. Loaded only there. */

import { GruvError } from '../../errors.ts'
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
  const worker = orMissing(
    () => new Worker(new URL('./worker.node.js', import.meta.url), { execArgv: [] }),
  )
  let over = false
  const gone = (why: string | GruvError): void => {
    if (!over) died(why)
    over = true
  }
  worker.on('message', heard)
  worker.on('messageerror', () => {
    gone('what it sent could not be read')
    void worker.terminate()
  })
  worker.on('error', (error) => gone(isMissing(error) ? scriptMissing(error) : error.message))
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

/** A bundle as CommonJS does not know where it lies, and so no URL of a script beside it. */
function orMissing<T>(make: () => T): T {
  try {
    return make()
  } catch (error) {
    throw codeOf(error) === 'ERR_INVALID_URL' ? scriptMissing(error) : error
  }
}

function isMissing(error: Error): boolean {
  return /MODULE_NOT_FOUND$/.test(codeOf(error)) || /^module not found/i.test(error.message)
}

function codeOf(error: unknown): string {
  return String((error as { readonly code?: unknown }).code)
}

/** A host with workers that would run on one thread would only be slow, without a word. */
function scriptMissing(cause: unknown): GruvError {
  return new GruvError('engine-unavailable', 'the script of the workers is not beside gruv', {
    where: 'predictAsync',
    expected: 'worker.node.js, which a bundle leaves behind',
    got: cause instanceof Error ? cause.message : String(cause),
    fix: 'Keep gruv out of the bundle (esbuild: `--external:gruv`), or compile without `threads`.',
    cause,
  })
}
