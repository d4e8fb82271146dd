/**
 * Measures how one contender starts, in a process without any other: import, model from bytes,
 * first call, and the peak memory of the process.
 *
 *     node dist/startup.js '{"contender": "gruv-js", "units": 64}'
 */

import { contender } from './contenders/index.ts'
import { makeLayer, makeWork } from './layer.ts'
import { median } from './timing.ts'

export interface StartupOptions {
  /** Null for a Node that does nothing but make the layer. */
  readonly contender: string | null
  readonly units: number
}

/** Milliseconds and mebibytes. */
export interface Startup {
  readonly import: number
  readonly create: number
  readonly firstCall: number
  /** The median of five more layers of nearly this size. */
  readonly createAgain: number
  readonly memory: number
}

const STEPS = 2000

const options: StartupOptions = JSON.parse(process.argv[2])
process.stdout.write(`${JSON.stringify(await startup(options))}\n`)

/** Null where the contender cannot run. */
async function startup({ contender: name, units }: StartupOptions): Promise<Startup | null> {
  const layer = makeLayer(units)
  const work = makeWork('stream', layer)
  if (name === null) return { import: 0, create: 0, firstCall: 0, createAgain: 0, memory: peak() }
  const [imported, { create }] = await timed(async () => {
    const found = await contender(name)
    await found.load()
    return found
  })
  const [created, session] = await timed(() => create(layer, work))
  if ('unavailable' in session) return null
  const [firstCall] = await timed(async () => session.run(1))
  await session.run(STEPS)
  const memory = peak()
  const again: number[] = []
  for (let i = 1; i <= 5; i++) {
    // Another size each time, so that no contender can reuse a program.
    const other = makeLayer(units + i)
    const [ms] = await timed(() => create(other, makeWork('stream', other)))
    again.push(ms)
  }
  return { import: imported, create: created, firstCall, createAgain: median(again), memory }
}

async function timed<T>(work: () => Promise<T>): Promise<[ms: number, T]> {
  const start = performance.now()
  const result = await work()
  return [performance.now() - start, result]
}

/** Of the process, its threads and what they share; Node gives KiB. */
function peak(): number {
  return process.resourceUsage().maxRSS / 1024
}
