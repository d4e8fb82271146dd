/** The clock of a search. */

/** To ask the system takes up to 0.1 ms, so it is asked no more often than this. */
const ASK_EVERY = 10

/** What Node, Deno and Bun have, and browsers do not. */
interface Host {
  readonly process?: {
    readonly cpuUsage?: () => { readonly user: number; readonly system: number }
  }
}

/** Milliseconds of CPU time of this process; of the wall clock where a host does not tell. */
export class CpuClock {
  private asked = Number.NEGATIVE_INFINITY
  private known = 0

  now(): number {
    const wall = performance.now()
    if (wall - this.asked < ASK_EVERY) return this.known
    this.asked = wall
    const usage = (globalThis as Host).process?.cpuUsage?.()
    this.known = usage === undefined ? wall : (usage.user + usage.system) / 1000
    return this.known
  }
}
