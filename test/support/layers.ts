/** The form of `fixtures/layers`, and models of it. */

import { dense, type GateOrder, gru, type Model, sequential } from '../../src/model/index.ts'
import type { Named, NestedNumbers } from '../../src/tensor.ts'

export interface LayerFixture {
  readonly name: string
  readonly layers: readonly (GruFixture | DenseFixture)[]
  readonly input: NestedNumbers
  readonly initialState: readonly (NestedNumbers | null)[] | null
  readonly expected: NestedNumbers
  readonly finalState: readonly (NestedNumbers | null)[]
}

interface GruFixture {
  readonly kind: 'gru'
  readonly kernel: NestedNumbers
  readonly recurrentKernel: NestedNumbers
  readonly bias: NestedNumbers | null
  readonly recurrentBias: NestedNumbers | null
  readonly gateOrder: GateOrder
  readonly transposed: boolean
  readonly reset: 'after' | 'before'
  readonly update: 'keeps' | 'updates'
  readonly biasPlacement: 'separate' | 'merged' | 'none'
  readonly activation: string
  readonly recurrentActivation: string
  readonly returnSequences: boolean
}

interface DenseFixture {
  readonly kind: 'dense'
  readonly kernel: NestedNumbers
  readonly bias: NestedNumbers | null
  readonly transposed: boolean
  readonly activation: string
}

export function buildLayers(layers: LayerFixture['layers']): Model {
  return sequential(
    layers.map((layer, i) => {
      const name = `layer${i}`
      if (layer.kind === 'dense') {
        const { kind: _, bias, ...rest } = layer
        return dense({ name, ...rest, ...(bias && { bias }) })
      }
      const { kind: _, bias, recurrentBias, biasPlacement, ...rest } = layer
      return gru({
        name,
        ...rest,
        ...(bias && { bias }),
        ...(recurrentBias && { recurrentBias }),
        ...(biasPlacement !== 'none' && { biasPlacement }),
      })
    }),
  )
}

export function namedStates(states: LayerFixture['finalState']): Named<NestedNumbers> {
  const named: Record<string, NestedNumbers> = {}
  states.forEach((state, i) => {
    if (state !== null) named[`layer${i}.h`] = state
  })
  return named
}
