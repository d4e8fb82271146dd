/** Lists what a program needs for the kinds of layers that most models are made of. */

import { coreSignatures } from '../model/shapes/core.ts'
import type { Signatures } from '../model/shapes/signatures.ts'
import { corePlans, type LayerPlans } from './plan/layers.ts'
import type { TensorOps } from './run/predict.ts'
import type { CodegenTables } from './wasm/emit.ts'
import { coreKernels } from './wasm/kernels/layers.ts'
import { coreFloat32 } from './wasm/kernels/math32.ts'

/** The tables by kind of layer and by precision, with a row for whatever a model has. */
export interface Layers extends CodegenTables {
  readonly signatures: Signatures
  readonly plans: Partial<LayerPlans>
  readonly tensorOps: TensorOps
}

export const coreLayers: Layers = {
  signatures: coreSignatures,
  plans: corePlans,
  kernels: coreKernels,
  arithmetics: { f32: coreFloat32 },
  tensorOps: { plan: inFrames, run: inFrames },
}

/** Vectors and sequences are all that core layers run on (`compile.ts`), and frames hold those. */
function inFrames(): never {
  throw new TypeError('frames hold all values')
}
