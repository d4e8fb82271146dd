/**
 * Measures one cell of the tables in a process of its own: one workload at one size, all contenders
 * in turn.
 *
 *     node dist/cell.js '{"workload": "stream", "units": 64, "contenders": ["gruv-js"], …}'
 *
 * Before anything is timed, all contenders must agree with the float64 reference.
 */

import { contender } from './contenders/index.ts'
import { makeLayer, makeWork, type WorkloadName } from './layer.ts'
import { largestError, reference } from './reference.ts'
import { roofs } from './roof.ts'
import { median, medianRatio, type Subject, type TimingOptions, timeInTurn } from './timing.ts'

export interface CellOptions {
  readonly workload: WorkloadName
  readonly units: number
  readonly contenders: readonly string[]
  readonly timing: TimingOptions
}

export interface CellResult {
  readonly versions: { readonly node: string; readonly v8: string }
  readonly entries: readonly Entry[]
  /** Contenders that cannot run here, and why. */
  readonly absent: Readonly<Record<string, string>>
}

export interface Entry {
  readonly contender: string
  /** Median, per step of one row. */
  readonly ns: number
  /** How many times faster than onnxruntime-node on one thread; below 1 is slower. */
  readonly faster: number | null
  readonly rounds: number
  /**
   * The largest difference from the float64 reference; null for the roof, which computes nothing.
   */
  readonly error: number | null
  readonly engine: string | null
}

/** Float32 rounding over 1,000 steps stays far below; a wrong gate, order or state far above. */
const AGREE = 1e-4
const YARDSTICK = 'onnxruntime-node'

const options: CellOptions = JSON.parse(process.argv[2])
process.stdout.write(`${JSON.stringify(await cell(options))}\n`)

async function cell({ workload, units, contenders, timing }: CellOptions): Promise<CellResult> {
  const layer = makeLayer(units)
  const work = makeWork(workload, layer)
  const subjects: (Subject & Pick<Entry, 'error' | 'engine'>)[] = []
  const absent: Record<string, string> = {}
  const expected = new Map<string, Float64Array>()
  for (const name of contenders) {
    const { load, create, reset } = await contender(name)
    await load()
    const session = await create(layer, work)
    if ('unavailable' in session) {
      absent[name] = session.unavailable
      continue
    }
    if (!expected.has(reset)) expected.set(reset, reference(layer, work, reset))
    const error = largestError(await session.outputs(), expected.get(reset)!)
    if (error > AGREE) throw new Error(`${name} is off by ${error}: what it computes is not this`)
    const engine = session.engine ?? null
    subjects.push({ name, run: (calls) => session.run(calls), error, engine })
  }
  const steps = work.stepsPerCall
  const limits = roofs(workload === 'stream' ? 'roof' : 'peak', layer)
  subjects.push(...limits.map((roof) => ({ ...roof, error: null, engine: null })))
  const all = await timeInTurn(subjects, timing)
  const yardstick = all.get(YARDSTICK)
  return {
    versions: { node: process.versions.node, v8: process.versions.v8 },
    entries: subjects.map(({ name, error, engine }) => {
      const times = all.get(name)!
      // A peak counts as one step.
      const perCall = name.startsWith('peak') ? 1 : steps
      return {
        contender: name,
        ns: median(times) / perCall,
        faster: yardstick === undefined ? null : medianRatio(yardstick, times),
        rounds: times.filter((time) => !Number.isNaN(time)).length,
        error,
        engine,
      }
    }),
    absent,
  }
}
