/** Reads models in a worker of their own, which ends by itself, by a deadline, or by the user. */

import { GruvError, type Model } from '../../src/index.ts'
import { EngineError } from './plain-errors.ts'
import type { OpenOptions, PlainError, Source } from './protocol.ts'

export interface ToReader {
  readonly source: Source
  readonly options: OpenOptions
}

export type FromReader = { readonly model: Model } | { readonly error: PlainError }

/** A gigabyte takes a few seconds; what takes a minute was made to take time. */
const MOST_SECONDS = 60

let cancel: (() => void) | null = null

/**
 * @param start begins a worker that runs `reader.ts`.
 * @throws EngineError or GruvError; `too-large` at the deadline.
 */
export async function readApart(
  what: ToReader,
  start: () => Worker = startReader,
  mostSeconds = MOST_SECONDS,
): Promise<Model> {
  cancel?.()
  const reader = start()
  let timer: ReturnType<typeof setTimeout> | undefined
  const answer = new Promise<Model>((resolve, reject) => {
    reader.onmessage = ({ data }: MessageEvent<FromReader>) => {
      if ('model' in data) resolve(data.model)
      else reject(new EngineError(data.error))
    }
    reader.onerror = (event) => {
      event.preventDefault()
      reject(
        new GruvError('too-large', 'the reader stopped', {
          got: event.message || 'no reason; perhaps there was not enough memory',
        }),
      )
    }
    timer = setTimeout(() => {
      reject(
        new GruvError('too-large', 'reading this model takes too long', {
          expected: `at most ${mostSeconds} seconds`,
          fix: 'gruv inspect on the command line has no deadline.',
        }),
      )
    }, 1000 * mostSeconds)
    cancel = () => reject(new GruvError('unreadable', 'reading was cancelled'))
  })
  try {
    reader.postMessage(what)
    return await answer
  } finally {
    clearTimeout(timer)
    reader.terminate()
    cancel = null
  }
}

/** Ends the reading that is under way, if any. */
export function cancelReading(): void {
  cancel?.()
}

function startReader(): Worker {
  return new Worker(new URL('./reader.ts', import.meta.url), { type: 'module' })
}
