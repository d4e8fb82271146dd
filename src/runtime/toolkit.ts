/**
 * What programs are made with: all that is particular to a kind of layer, for the kinds that a
 * model has. Planning, engines and runs are given one, and look up nothing elsewhere; so a page
 * downloads what its model needs (`at-hand.ts`), and whoever cannot wait has everything (`all.ts`).
 */

import type { Kinds } from '../model/kinds.ts'
import type { LayerNode, Model, Port } from '../model/types.ts'
import type { Named, TensorLike } from '../tensor.ts'
import type { Engine } from './engine.ts'
import type { ReadInputs } from './inputs.ts'
import type { Layer } from './layer.ts'
import type { PassOver } from './pass-over.ts'
import type { Plan } from './plan.ts'
import type { Run } from './run.ts'
import type { Arrange, Stage } from './stages.ts'
import type { Stream } from './stream.ts'
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
  readonly passOver: PassOver
  readonly readInputs: ReadInputs
  /** One row of inputs over so many steps, to warm up with. */
  readonly zeros: (ports: readonly Port[], steps: number) => TensorLike | Named<TensorLike>
  /** Layers on whole tensors; null where no model has any. */
  readonly runWhole: RunWhole | null
  /** A stream of a plan: what `open` gives where there is nothing else to mind. */
  readonly stream: (plan: Plan, open: () => Stream) => Stream
}

/** Runs the nodes of a stage on whole tensors, and says when each of them is done. */
export type RunWhole = (stage: Stage, run: Run) => Iterable<void>
