/** Runs in slices of a few milliseconds, so that the event loop gets its turn: `predictAsync` without workers. */

import { type Outputs, type Run, resultsOf, workOn } from './predict.ts'

/** Below a frame of a 60 Hz display, so that a page stays smooth. */
const PAUSE_EVERY_MS = 12

/** @param alive throws if the program was closed meanwhile. */
export async function runCooperatively<Name extends string>(
  run: Run,
  alive: () => void,
  onProgress?: (share: number) => void,
): Promise<Outputs<Name>> {
  const { engine, plan } = run
  const { predictState, streams } = plan.memory
  let last = Date.now()
  for (const share of workOn(run)) {
    if (Date.now() - last < PAUSE_EVERY_MS) continue
    onProgress?.(share)
    // Another call may use the program meanwhile.
    const saved = engine.memory.slice(predictState, streams)
    await new Promise((resolve) => setTimeout(resolve, 0))
    alive()
    engine.memory.set(saved, predictState)
    last = Date.now()
  }
  onProgress?.(1)
  return resultsOf<Name>(run)
}
