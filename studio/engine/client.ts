/** Calls the worker from the page: answers as promises, errors as exceptions. */

import { EngineError } from './plain-errors.ts'
import type { CallName, Calls, FromWorker, Progress } from './protocol.ts'

interface Waiting {
  readonly resolve: (result: never) => void
  readonly reject: (error: EngineError) => void
}

const waiting = new Map<number, Waiting>()
const listeners = new Set<(progress: Progress) => void>()
let worker: Worker | null = null
let lastId = 0

function start(): Worker {
  const started = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' })
  started.onmessage = ({ data }: MessageEvent<FromWorker>) => {
    if ('progress' in data) {
      for (const listener of listeners) listener(data.progress)
      return
    }
    const call = waiting.get(data.id)
    waiting.delete(data.id)
    if ('error' in data) call?.reject(new EngineError(data.error))
    else call?.resolve(data.result as never)
  }
  // The worker has died, most likely for lack of memory: all pending calls fail, and the next call
  // starts a new worker.
  started.onerror = (event) => {
    event.preventDefault()
    worker = null
    started.terminate()
    const error = new EngineError({
      code: null,
      problem: 'the engine stopped',
      where: null,
      expected: null,
      got:
        event.message ||
        'no reason was given; perhaps the server has stopped, or there was not enough memory',
      fix: 'Open the model again.',
    })
    for (const { reject } of waiting.values()) reject(error)
    waiting.clear()
  }
  return started
}

/** Asks the worker; @throws EngineError. */
export function call<N extends CallName>(
  name: N,
  args: Parameters<Calls[N]>[0],
): ReturnType<Calls[N]> {
  worker ??= start()
  const id = ++lastId
  const answer = new Promise((resolve, reject) => waiting.set(id, { resolve, reject }))
  worker.postMessage({ id, call: name, args })
  return answer as ReturnType<Calls[N]>
}

export function onProgress(listener: (progress: Progress) => void): void {
  listeners.add(listener)
}

/**
 * A function that has at most one call pending, and keeps only the last of the calls made
 * meanwhile. Sliders need that.
 */
export function latest<A>(ask: (args: A) => Promise<void>): (args: A) => void {
  let busy = false
  let next: { args: A } | null = null
  const go = async (args: A): Promise<void> => {
    busy = true
    await ask(args).catch(() => {})
    busy = false
    const following = next
    next = null
    if (following !== null) void go(following.args)
  }
  return (args) => {
    if (busy) next = { args }
    else void go(args)
  }
}
