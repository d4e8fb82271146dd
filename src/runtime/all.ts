/** The toolkit of every model. */

import { allKinds } from '../model/graph.ts'
import { readInputs, zeros } from './all-inputs.ts'
import { passOverAll } from './js/steps.ts'
import { layerOf } from './layers.ts'
import { arrangeGraph, streamOfGraph } from './streaming.ts'
import type { Toolkit } from './toolkit.ts'
import type { FunctionWriter } from './wasm/assembler.ts'
import { checkedWriter } from './wasm/checked.ts'
import { allActivations } from './wasm/kernels/all-activations.ts'
import { allFloat32 } from './wasm/kernels/all-math.ts'
import { float64 } from './wasm/kernels/math64.ts'
import { softmax } from './wasm/kernels/softmax.ts'
import { mixedEngine } from './wasm/mixed.ts'
import { opcodes } from './wasm/opcodes.ts'
import { writers } from './wasm/writers.ts'
import { runWhole } from './whole.ts'

/** Made when the first function is written: the table takes a while to read. */
let checked: FunctionWriter | undefined
const writer: FunctionWriter = (...args) => {
  checked ??= checkedWriter(opcodes)
  return checked(...args)
}

export const allTools: Toolkit = {
  serves: () => true,
  kinds: allKinds,
  layer: layerOf,
  arrange: arrangeGraph,
  writing: {
    writer,
    writers,
    activations: allActivations,
    softmax,
    arithmetics: { f32: allFloat32, f64: float64 },
  },
  mixed: mixedEngine,
  passOver: passOverAll,
  readInputs,
  zeros,
  runWhole,
  stream: streamOfGraph,
}
