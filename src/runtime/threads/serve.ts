/** Serves a program from within a worker: an engine of its own runs the rows that are posted. */

import type { Tensor } from '../../tensor.ts'
import { allLayers } from '../all-layers.ts'
import type { Engine } from '../engine/engine.ts'
import { createJsEngine } from '../js/engine.ts'
import type { Plan } from '../plan/types.ts'
import { readInputs } from '../run/inputs.ts'
import { beginRun, readRun, resultsOf, workOn } from '../run/predict.ts'
import type { Purpose } from '../wasm/emit.ts'
import { createWasmEngine } from '../wasm/engine.ts'
import { createMixedEngine } from '../wasm/mixed.ts'
import { needsJs } from '../wasm/needs-js.ts'
import { pack } from './errors.ts'
import type { FromWorker, Part, SharedCode, ToWorker, Weights } from './messages.ts'

export type Post = (message: FromWorker, transfer: ArrayBuffer[]) => void

/** How often a worker says how far it is. */
const SAY_EVERY_MS = 50

/** What a worker does with each message. */
export function serve(post: Post): (message: ToWorker) => void {
  let started: { readonly plan: Plan; readonly engine: Engine } | null = null
  // A program's modules are kept only as long as something refers to them.
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
      const request = readRun(plan, readInputs(plan.inputs, inputs), options)
      const run = beginRun({ plan, engine, tensorOps }, weights!, request)
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
      started?.engine.setWeights(weights)
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

const { plans, kernels, tensorOps } = allLayers

function createEngine(plan: Plan, code: SharedCode | null): Engine {
  if (code === null) return createJsEngine(plan, plans)
  const { target, modules } = code
  const shared = {
    target,
    module: (wanted: Purpose) =>
      modules.find(({ purpose }) => purpose === wanted || purpose === 'all')!.module,
  }
  return needsJs(plan, kernels)
    ? createMixedEngine(plan, plans, kernels, shared)
    : createWasmEngine(plan, plans, shared)
}
