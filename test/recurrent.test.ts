/**
 * LSTM and simple RNN layers against independent implementations: PyTorch in float64, and a numpy
 * one that was checked against ONNX's reference and ONNX Runtime (`tools/make_recurrent_fixtures.py`).
 * A new case is a new entry in a file of `fixtures/recurrent`.
 */

import type { ChainLink } from '../src/model/chain.ts'
import {
  bidirectional,
  type LstmOptions,
  lstm,
  type Model,
  type SimpleRnnOptions,
  sequential,
  simpleRnn,
} from '../src/model/index.ts'
import type { Named, NestedNumbers } from '../src/tensor.ts'
import { describeFixtures } from './support/layers.ts'

interface Fixture {
  readonly name: string
  readonly layers: readonly (Cell | readonly [Cell, Cell])[]
  readonly input: NestedNumbers
  readonly mask: NestedNumbers | null
  readonly lengths: readonly number[] | null
  readonly initialState: Named<NestedNumbers> | null
  readonly expected: NestedNumbers
  readonly finalState: Named<NestedNumbers>
}

/** As options of the builders, but null for what is not there. */
type Cell = { readonly [key: string]: unknown } & { readonly cell: 'lstm' | 'rnn' }

function build(layers: Fixture['layers']): Model {
  return sequential(
    layers.map((layer, i): ChainLink => {
      const name = `layer${i}`
      if (isPair(layer)) {
        const [forward, backward] = layer.map((cell) => optionsOf<LstmOptions>(cell))
        return bidirectional({ name, cell: layer[0].cell, forward, backward })
      }
      if (layer.cell === 'lstm') return lstm({ ...optionsOf<LstmOptions>(layer), name })
      return simpleRnn({ ...optionsOf<SimpleRnnOptions>(layer), name })
    }),
  )
}

function isPair(layer: Fixture['layers'][number]): layer is readonly [Cell, Cell] {
  return Array.isArray(layer)
}

function optionsOf<O>({ cell: _, ...options }: Cell): O {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== null)) as O
}

describeFixtures<Fixture>('recurrent', ({ layers, mask, lengths, initialState, finalState }) => [
  build(layers),
  { ...(mask && { mask }), ...(lengths && { lengths }), ...(initialState && { initialState }) },
  finalState,
])
