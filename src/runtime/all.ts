/** The toolkit of every model. */

import { valueShapes } from '../model/graph.ts'
import { statesOf } from '../model/layers.ts'
import { layerPlans } from './layers.ts'
import type { Toolkit } from './toolkit.ts'
import { allOpcodes } from './wasm/all-opcodes.ts'
import { allActivations } from './wasm/kernels/all-activations.ts'
import { allFloat32 } from './wasm/kernels/all-math.ts'
import { float64 } from './wasm/kernels/math64.ts'
import { writers } from './wasm/writers.ts'
import { planWhole, runWhole } from './whole.ts'

export const allTools: Toolkit = {
  shapes: ({ inputs, nodes }) => valueShapes(inputs, nodes),
  statesOf,
  plans: layerPlans,
  writing: {
    opcodes: allOpcodes,
    writers,
    activations: allActivations,
    arithmetics: { f32: allFloat32, f64: float64 },
  },
  whole: { plan: planWhole, run: runWhole },
}
