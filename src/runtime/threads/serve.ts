/** The worker's side: an engine of its own, fed with rows. */

import type { Tensor } from '../../tensor.ts'
import { allTools } from '../all.ts'
import { readInputs } from '../all-inputs.ts'
import type { Engine } from '../engine.ts'
import { createJsEngine } from '../js/engine.ts'
import type { Plan } from '../plan.ts'
import { beginRun, resultsOf, workOn } from '../run.ts'
import { createWasmEngine } from '../wasm/engine.ts'
import { pack } from './errors.ts'
import type { FromWorker, Part, SharedCode, ToWorker, Weights } from './messages.ts'

export type Post = (message: FromWorker, transfer: ArrayBuffer[]) => void

/** How often a worker says how far it is. */
const SAY_EVERY_MS = 50

/** What a worker does with each message. */
export function serve(post: Post): (message: ToWorker) => void {
  let started: { readonly plan: Plan; readonly engine: Engine } | null = null
  // A program's modules are kept only as long as somebody uses them.
  let code: SharedCode | null = null
  let weights: Weights | null = null

  const start = (plan: Plan, shared: SharedCode | null): void => {
    try {
      code = shared
      started = { plan: inGraphOrder(plan), engine: createEngine(plan, code) }
      post({ ready: true }, [])
    } catch (error) {
      post({ refused: pack(error).problem }, [])
    }
  }
  const run = (id: number, { inputs, options }: Part): void => {
    try {
      const { plan, engine } = started!
      const rows = readInputs(plan.inputs, inputs)
      const run = beginRun(allTools, plan, engine, weights!, rows, options)
      let last = Date.now()
      for (const share of workOn(run)) {
        if (Date.now() - last < SAY_EVERY_MS) continue
        last = Date.now()
        post({ id, share }, [])
      }
      const results = resultsOf(run)
      // Two outputs may be one value.
      post({ id, results }, [...new Set(Object.values(results).map(bufferOf))])
    } catch (error) {
      post({ id, error: pack(error) }, [])
    }
  }

  return (message) => {
    if ('start' in message) start(message.start.plan, message.start.code)
    else if ('part' in message) run(message.id, message.part)
    else {
      weights = message.weights
      started?.engine.setWeights(weights, started.plan)
    }
  }
}

function bufferOf({ data }: Tensor): ArrayBuffer {
  return data.buffer as ArrayBuffer
}

/** Rows arrive and leave as the graph has them: the program knows what callers want to see. */
function inGraphOrder(plan: Plan): Plan {
  return {
    ...plan,
    inputs: plan.inputs.map(({ name }) => ({ name, shape: plan.shapes[name] })),
    outputs: plan.outputs.map(({ name, value }) => ({ name, value, shape: plan.shapes[value] })),
  }
}

function createEngine(plan: Plan, code: SharedCode | null): Engine {
  if (code === null) return createJsEngine(plan, allTools)
  const { target, modules } = code
  return createWasmEngine(plan, allTools, {
    target,
    module: (wanted) =>
      modules.find(({ purpose }) => purpose === wanted || purpose === 'all')!.module,
  })
}
