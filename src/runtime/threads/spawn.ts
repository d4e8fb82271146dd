/** Makes workers in pages. */

import type { GruvError } from '../../errors.ts'
import type { FromWorker, ToWorker } from './messages.ts'

/** A worker, in a page or in Node. */
export interface Thread {
  post(message: ToWorker, transfer: ArrayBuffer[]): void
  /** Whether the process has to wait for it. */
  hold(wanted: boolean): void
  end(): void
}

export interface Listener {
  readonly heard: (message: FromWorker) => void
  /** It is gone, and was not told to go; an error that the caller can mend, or why. */
  readonly died: (why: string | GruvError) => void
}

export type Spawn = (listener: Listener) => Thread

/** Throws, or lets its thread die, where a policy forbids workers. */
export const spawnInPage: Spawn = ({ heard, died }) => {
  const worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module' })
  worker.onmessage = ({ data }: MessageEvent<FromWorker>) => heard(data)
  worker.onerror = (event) => {
    event.preventDefault()
    worker.terminate()
    died(event.message || 'its script could not be loaded')
  }
  worker.onmessageerror = () => {
    worker.terminate()
    died('what it sent could not be read')
  }
  return {
    post: (message, transfer) => worker.postMessage(message, transfer),
    // A page never waits for its workers.
    hold() {},
    end: () => worker.terminate(),
  }
}
