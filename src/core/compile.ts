/** Compiles a Model of the layers that `gruv/core` holds. */

import type { Model } from '../model/types.ts'
import { compileAlone } from '../runtime/compile-sync.ts'
import { coreLayers, type Layers } from '../runtime/layers.ts'
import { lstm } from '../runtime/plan/layers/lstm.ts'
import { rnn } from '../runtime/plan/layers/rnn.ts'
import type { CompileOptions, Program } from '../runtime/program.ts'
import { float32 } from '../runtime/wasm/kernels/all-math32.ts'
import { writeGruOfAnySize } from '../runtime/wasm/kernels/gru-block.ts'
import { writeLstm } from '../runtime/wasm/kernels/lstm.ts'
import { float64 } from '../runtime/wasm/kernels/math64.ts'
import { writeRnn } from '../runtime/wasm/kernels/rnn.ts'
import { notHere } from './not-here.ts'

const layers: Layers = {
  ...coreLayers,
  plans: { ...coreLayers.plans, lstm, rnn },
  kernels: { ...coreLayers.kernels, gru: writeGruOfAnySize, lstm: writeLstm, rnn: writeRnn },
  arithmetics: { f32: float32, f64: float64 },
}

/**
 * `compile` of `gruv` without waiting, in the thread of the caller.
 * @throws GruvError as `compile`; `unsupported` for other layers than GRU, LSTM, RNN and Dense on
 *   vectors and sequences, and for several threads, naming `gruv`.
 */
export function compileSync(model: Model, options: CompileOptions = {}): Program {
  const other = model.nodes.find(({ kind }) => !Object.hasOwn(layers.plans, kind))
  if (other !== undefined) throw notHere('this kind of layer', other.kind, ELSEWHERE)
  const wide = model.inputs.find(({ shape }) => shape.length < 2 || shape.length > 3)
  if (wide !== undefined) {
    throw notHere(
      'layers on whole tensors',
      `input ${wide.name}, ${wide.shape.length} axes`,
      ELSEWHERE,
    )
  }
  const { program, threads } = compileAlone(model, options, layers)
  if (threads === 1) return program
  throw notHere('workers', `threads: ${threads}`, ELSEWHERE)
}

const ELSEWHERE = 'Compile it with `compile` or `compileSync` of the entry `gruv`.'
