/** Shows how far a command has come: on standard error, only on a terminal, not for short runs. */

import { SingleBar } from 'cli-progress'

export interface Progress {
  readonly update: (share: number) => void
  readonly stop: () => void
}

/** Shorter runs show nothing. */
const WAIT_MS = 300

/** @param what the command, such as `gruv run`. */
export function progressBar(what: string): Progress {
  if (!process.stderr.isTTY) return { update: () => {}, stop: () => {} }
  const bar = new SingleBar({
    format: `${what} {bar} {percentage}% {eta_formatted} left`,
    clearOnComplete: true,
    stream: process.stderr,
  })
  const started = Date.now()
  return {
    update(share) {
      if (!bar.isActive && Date.now() - started > WAIT_MS) bar.start(100, 0)
      if (bar.isActive) bar.update(Math.floor(share * 100))
    },
    stop: () => bar.stop(),
  }
}
