/** Lists what a program needs for every kind of layer: `compile` fetches it for models that ask for it. */

import { allSignatures } from '../model/shapes/all.ts'
import type { Layers } from './layers.ts'
import { allPlans } from './plan/all-layers.ts'
import { tensorOps } from './tensor/op.ts'
import { allKernels } from './wasm/kernels/all-layers.ts'
import { float32 } from './wasm/kernels/all-math32.ts'
import { float64 } from './wasm/kernels/math64.ts'

export const allLayers: Layers = {
  signatures: allSignatures,
  plans: allPlans,
  kernels: allKernels,
  arithmetics: { f32: float32, f64: float64 },
  tensorOps,
}
