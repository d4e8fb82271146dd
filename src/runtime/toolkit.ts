/**
 * What programs are made with: all that is particular to a kind of layer, for the kinds that a
 * model has. Planning, engines and runs are given one, and look up nothing elsewhere; so a page
 * downloads what its model needs (`at-hand.ts`), and whoever cannot wait has everything (`all.ts`).
 */

import type { Kinds } from '../model/kinds.ts'
import type { Dim, LayerNode, Model } from '../model/types.ts'
import type { Tensor } from '../tensor.ts'
import type { Engine } from './engine.ts'
import type { Layer } from './layer.ts'
import type { Plan } from './plan.ts'
import type { Arrange } from './stages.ts'
import type { Wasm } from './wasm/engine.ts'
import type { Writing } from './wasm/writing.ts'

export interface Toolkit {
  /** Whether a model needs nothing else. */
  readonly serves: (model: Model) => boolean
  /** Ports, shapes, states and weights. */
  readonly kinds: Kinds
  /** How a node, or the node of a kernel, is planned. */
  readonly layer: (node: LayerNode) => Layer
  readonly arrange: Arrange
  /** Kernels in WebAssembly. */
  readonly writing: Writing
  /** An engine that runs JavaScript between the kernels; null where no model needs any. */
  readonly mixed: ((plan: Plan, writing: Writing, wasm: Wasm) => Engine) | null
  /** Layers on whole tensors; null where no model of these kinds has any. */
  readonly whole: WholeLayers | null
}

export interface WholeLayers {
  /** @param extent the number behind a symbol of this run. */
  readonly run: (
    node: LayerNode,
    tensors: ReadonlyMap<string, Tensor>,
    extent: (dim: Dim) => number,
  ) => ReadonlyMap<string, Tensor>
}
