/**
 * ONNX Runtime, native and for the web: one API, so one contender with two modules and settings.
 */

import type { InferenceSession, Tensor, TensorConstructor } from 'onnxruntime-common'
import type { Contender, Session } from '../contender.ts'
import { toOnnx } from '../files.ts'
import { type Layer, swapAxes, type Work } from '../layer.ts'

interface Runtime {
  readonly InferenceSession: {
    create(model: Uint8Array, options: InferenceSession.SessionOptions): Promise<InferenceSession>
  }
  readonly Tensor: TensorConstructor
}

interface Setup {
  readonly load: () => Promise<Runtime>
  readonly options: InferenceSession.SessionOptions
  /**
   * Whether results are written into tensors that the bench provides. The web runtime accepts such
   * tensors but does not fill them; its results are the tensors that it returns.
   */
  readonly preallocated: boolean
}

const node = { load: () => import('onnxruntime-node'), preallocated: true } as const
const oneThread = { intraOpNumThreads: 1, interOpNumThreads: 1 }

export const onnxruntimeNode: Contender = onnxruntime('onnxruntime-node', {
  ...node,
  options: { executionProviders: ['cpu'], ...oneThread },
})

/** Its default number of threads: one for each core. */
export const onnxruntimeNodeThreads: Contender = onnxruntime('onnxruntime-node-threads', {
  ...node,
  options: { executionProviders: ['cpu'] },
})

/** One thread, which is also its default on a machine of two cores. */
export const onnxruntimeWeb: Contender = onnxruntime('onnxruntime-web', {
  load: async () => {
    const ort = await import('onnxruntime-web')
    ort.env.wasm.numThreads = 1
    return ort
  },
  preallocated: false,
  options: { executionProviders: ['wasm'] },
})

function onnxruntime(name: string, { load, options, preallocated }: Setup): Contender {
  let runtime: Runtime
  return {
    name,
    reset: 'after',
    async load() {
      runtime = await load()
    },
    async create(layer, work) {
      const session = await runtime.InferenceSession.create(toOnnx(layer, work), {
        graphOptimizationLevel: 'all',
        executionMode: 'sequential',
        ...options,
      })
      if (work.name !== 'stream') return whole(session, runtime.Tensor, layer, work, preallocated)
      return (preallocated ? streamInTurns : stream)(session, runtime.Tensor, layer, work)
    },
  }
}

/** Two states that alternate as input and output; every tensor is made beforehand. */
function streamInTurns(
  session: InferenceSession,
  TensorOf: TensorConstructor,
  { units, features }: Layer,
  { x, steps }: Work,
): Session {
  const input = new Float32Array(features)
  const states = [new Float32Array(units), new Float32Array(units)]
  const X = new TensorOf('float32', input, [1, 1, features])
  const tensors = states.map((state) => new TensorOf('float32', state, [1, 1, units]))
  const feeds = tensors.map((initial_h) => ({ X, initial_h }))
  const fetches = tensors.map((Y_h) => ({ Y_h }))
  let [t, turn] = [0, 0]
  const step = async (): Promise<void> => {
    const at = t * features
    for (let f = 0; f < features; f++) input[f] = x[at + f]
    await session.run(feeds[turn], fetches[1 - turn])
    turn = 1 - turn
    t = t + 1 === steps ? 0 : t + 1
  }
  return {
    async run(calls) {
      for (let i = 0; i < calls; i++) await step()
    },
    async outputs() {
      const y = new Float32Array(steps * units)
      states[turn].fill(0)
      t = 0
      for (let s = 0; s < steps; s++) {
        await step()
        y.set(states[turn], s * units)
      }
      return y
    },
  }
}

/** The state that a step returns is fed to the next. */
function stream(
  session: InferenceSession,
  TensorOf: TensorConstructor,
  { units, features }: Layer,
  { x, steps }: Work,
): Session {
  const input = new Float32Array(features)
  const X = new TensorOf('float32', input, [1, 1, features])
  const zeros = new TensorOf('float32', new Float32Array(units), [1, 1, units])
  const feeds: Record<string, Tensor> = { X, initial_h: zeros }
  const fetches = ['Y_h']
  let t = 0
  const step = async (): Promise<void> => {
    const at = t * features
    for (let f = 0; f < features; f++) input[f] = x[at + f]
    feeds.initial_h = (await session.run(feeds, fetches)).Y_h
    t = t + 1 === steps ? 0 : t + 1
  }
  return {
    async run(calls) {
      for (let i = 0; i < calls; i++) await step()
    },
    async outputs() {
      const y = new Float32Array(steps * units)
      feeds.initial_h = zeros
      t = 0
      for (let s = 0; s < steps; s++) {
        await step()
        y.set(feeds.initial_h.data as Float32Array, s * units)
      }
      return y
    },
  }
}

function whole(
  session: InferenceSession,
  TensorOf: TensorConstructor,
  { units, features }: Layer,
  { x, steps, rows }: Work,
  preallocated: boolean,
): Session {
  const feeds = {
    X: new TensorOf('float32', swapAxes(x, rows, steps, features), [steps, rows, features]),
    initial_h: new TensorOf('float32', new Float32Array(rows * units), [1, rows, units]),
  }
  const y = new TensorOf('float32', new Float32Array(steps * rows * units), [steps, 1, rows, units])
  const fetches = preallocated ? { Y: y } : ['Y']
  const call = () => session.run(feeds, fetches as { Y: Tensor })
  return {
    async run(calls) {
      for (let i = 0; i < calls; i++) await call()
    },
    async outputs() {
      return swapAxes((await call()).Y.data as Float32Array, steps, rows, units)
    },
  }
}
