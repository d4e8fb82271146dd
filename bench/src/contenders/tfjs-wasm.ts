/**
 * TensorFlow.js on its WebAssembly backend. Its GRU refuses `reset_after`, so it computes the other
 * one, with as many operations, and is compared with the reference for that one.
 */

import type { Contender, Session } from '../contender.ts'
import type { Layer, Work } from '../layer.ts'

type Tf = typeof import('@tensorflow/tfjs')

export const tfjsWasm: Contender = {
  name: 'tfjs-wasm',
  reset: 'before',
  async load() {
    tf = await import('@tensorflow/tfjs')
    await import('@tensorflow/tfjs-backend-wasm')
    await tf.setBackend('wasm')
  },
  create: async (layer, work) => (work.name === 'stream' ? stream : whole)(tf, layer, work),
}

let tf: Tf

/** The weights of a layer with one bias, which is the sum of both biases with the reset before. */
function weightsOf({ tensor2d, tensor1d }: Tf, { units, features, ...layer }: Layer) {
  const bias = layer.bias.slice(0, 3 * units).map((value, i) => value + layer.bias[3 * units + i])
  return [
    tensor2d(layer.kernel, [features, 3 * units]),
    tensor2d(layer.recurrentKernel, [units, 3 * units]),
    tensor1d(bias),
  ]
}

/** The default initialisers would orthogonalise a matrix that is overwritten anyway. */
function argsOf(units: number) {
  return {
    units,
    recurrentActivation: 'sigmoid',
    kernelInitializer: 'zeros',
    recurrentInitializer: 'zeros',
  } as const
}

/** The cell itself: a stateful layer does the same and more. */
function stream(tf: Tf, layer: Layer, { x, steps }: Work): Session {
  const { units, features } = layer
  const cell = tf.layers.gruCell(argsOf(units))
  cell.build([1, features])
  cell.setWeights(weightsOf(tf, layer))
  let h = tf.zeros([1, units])
  let t = 0
  const step = (): Float32Array => {
    const at = t * features
    const next = tf.tidy(() => {
      const input = tf.tensor2d(x.subarray(at, at + features), [1, features])
      return (cell.call([input, h], {}) as (typeof h)[])[0]
    })
    h.dispose()
    h = next
    t = t + 1 === steps ? 0 : t + 1
    return h.dataSync() as Float32Array
  }
  return {
    run(calls) {
      for (let i = 0; i < calls; i++) step()
    },
    async outputs() {
      const y = new Float32Array(steps * units)
      h.dispose()
      h = tf.zeros([1, units])
      t = 0
      for (let s = 0; s < steps; s++) y.set(step(), s * units)
      return y
    },
  }
}

function whole(tf: Tf, layer: Layer, { x, steps, rows }: Work): Session {
  const { units, features } = layer
  const gru = tf.layers.gru({
    ...argsOf(units),
    returnSequences: true,
    batchInputShape: [rows, steps, features],
  })
  const model = tf.sequential({ layers: [gru] })
  gru.setWeights(weightsOf(tf, layer))
  const input = tf.tensor3d(x, [rows, steps, features])
  const call = (): Float32Array => {
    const y = model.predict(input, { batchSize: rows }) as typeof input
    const data = y.dataSync() as Float32Array
    y.dispose()
    return data
  }
  return {
    run(calls) {
      for (let i = 0; i < calls; i++) call()
    },
    outputs: async () => call().slice(),
  }
}
