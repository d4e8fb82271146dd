/** Shows how far a command has come: on standard error, only on a terminal, not for short runs. */

import { SingleBar } from 'cli-progress'

type Update = (share: number) => void

/** Shorter runs show nothing. */
const WAIT_MS = 300

/**
 * What `work` gives, with a bar while it works.
 * @param what the command, such as `gruv run`.
 * @param work takes what it tells the share that is done, from 0 to 1.
 */
export async function withProgress<T>(
  what: string,
  work: (update: Update) => Promise<T>,
): Promise<T> {
  if (!process.stderr.isTTY) return work(() => {})
  const bar = new SingleBar({
    format: `${what} {bar} {percentage}% {eta_formatted} left`,
    clearOnComplete: true,
    stream: process.stderr,
  })
  const started = Date.now()
  try {
    return await work((share) => {
      if (!bar.isActive && Date.now() - started > WAIT_MS) bar.start(100, 0)
      if (bar.isActive) bar.update(Math.floor(share * 100))
    })
  } finally {
    bar.stop()
  }
}
