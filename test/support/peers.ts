/**
 * Other projects' GRU test cases as gruv models: each turns its own vocabulary into a model, an
 * input and an expected output, or says which feature it needs that gruv does not have yet.
 */

import { readFileSync } from 'node:fs'
import { readTable } from '../../src/bytes/tables.ts'
import { dense, type GateOrder, gru, type Model, sequential } from '../../src/model/index.ts'
import type { NestedNumbers, Tensor } from '../../src/tensor.ts'
import { sharedCases, sharedPath } from './shared.ts'

export interface PeerCase {
  readonly name: string
  readonly model: Model
  readonly input: NestedNumbers | Tensor
  readonly initialState?: NestedNumbers
  /** How often the input is run, with the state carried on. */
  readonly calls: number
  readonly expected: readonly number[]
  readonly tolerance: { readonly atol: number; readonly rtol: number }
}

export interface PendingCase {
  readonly name: string
  readonly needs: string
}

interface KerasCase {
  readonly name: string
  readonly layer?: string
  readonly args: {
    readonly units: number
    readonly activation?: string
    readonly recurrent_activation?: string
    readonly reset_after?: boolean
    readonly return_sequences?: boolean
    readonly go_backwards?: boolean
  }
  readonly weights: {
    readonly kernel: NestedNumbers
    readonly recurrent_kernel: NestedNumbers
    readonly bias?: NestedNumbers
  }
  readonly x: NestedNumbers
  readonly h0?: NestedNumbers | null
  readonly mask?: unknown
  readonly calls?: number
  readonly expected?: NestedNumbers
  readonly expected_call2?: number
  readonly tolerance: { readonly atol: number; readonly rtol?: number }
}

/** Keras itself, TF.js and keras-js all write their cases in Keras's words. */
export function kerasCases(
  peer: 'keras' | 'tfjs' | 'keras-js',
): readonly (PeerCase | PendingCase)[] {
  return sharedCases<KerasCase>(`vectors/${peer}/cases.json`).map((test) => {
    const { args, weights } = test
    if (test.layer?.startsWith('Bidirectional')) return { name: test.name, needs: 'Bidirectional' }
    if (args.go_backwards) return { name: test.name, needs: 'go_backwards' }
    if (test.mask) return { name: test.name, needs: 'masks' }
    const model = sequential([
      gru({
        kernel: weights.kernel,
        recurrentKernel: weights.recurrent_kernel,
        ...(weights.bias && { bias: weights.bias }),
        reset: (args.reset_after ?? true) ? 'after' : 'before',
        gateOrder: 'zrn',
        activation: args.activation ?? 'tanh',
        // TF.js writes "hard_sigmoid (0.2x+0.5)".
        recurrentActivation: args.recurrent_activation?.split(' ')[0] ?? 'sigmoid',
        returnSequences: args.return_sequences ?? false,
      }),
    ])
    const twice = test.expected_call2 !== undefined
    const size = (test.x as readonly unknown[]).length * args.units
    return {
      name: test.name,
      model,
      input: test.x,
      ...(test.h0 && { initialState: test.h0 }),
      calls: twice ? 2 : (test.calls ?? 1),
      expected: twice
        ? new Array<number>(size).fill(test.expected_call2!)
        : (([test.expected] as unknown[]).flat(4) as number[]),
      tolerance: { atol: test.tolerance.atol, rtol: test.tolerance.rtol ?? 0 },
    }
  })
}

interface WebNnTensor {
  readonly shape: readonly number[]
  readonly data: readonly number[]
}

interface WebNnCase {
  readonly name: string
  readonly expected: Readonly<Record<string, readonly number[]>>
  readonly call: {
    readonly op: 'gru' | 'gru_cell'
    readonly input: WebNnTensor
    readonly weight: WebNnTensor
    readonly recurrentWeight: WebNnTensor
    readonly hiddenState?: WebNnTensor
    readonly hiddenSize: number
    readonly options: {
      readonly bias?: WebNnTensor
      readonly recurrentBias?: WebNnTensor
      readonly initialHiddenState?: WebNnTensor
      readonly resetAfter?: boolean
      readonly returnSequence?: boolean
      readonly direction?: string
      readonly layout?: GateOrder
      readonly activations?: readonly string[]
    }
  }
}

/** webnn-baseline: [steps, batch, features], a leading axis for directions, [3·units, …] kernels. */
export function webNnCases(): readonly (PeerCase | PendingCase)[] {
  return sharedCases<WebNnCase>('vectors/webnn-baseline/cases.json').map(
    ({ name, call, expected }) => {
      const { options, hiddenSize: units } = call
      if (options.direction !== undefined && options.direction !== 'forward') {
        return { name, needs: `direction ${options.direction}` }
      }
      const packed = ({ shape, data }: WebNnTensor): Tensor => ({
        shape: shape.slice(-2),
        data: Float64Array.from(data),
      })
      const flat = ({ data }: WebNnTensor): Tensor => ({
        shape: [data.length],
        data: Float64Array.from(data),
      })
      const [recurrentActivation, activation] = (options.activations ?? ['sigmoid', 'tanh']).map(
        (each) => each.replace('fn:', ''),
      )
      const model = sequential([
        gru({
          kernel: packed(call.weight),
          recurrentKernel: packed(call.recurrentWeight),
          ...(options.bias && { bias: flat(options.bias) }),
          ...(options.recurrentBias && { recurrentBias: flat(options.recurrentBias) }),
          gateOrder: options.layout ?? 'zrn',
          reset: (options.resetAfter ?? true) ? 'after' : 'before',
          transposed: true,
          activation,
          recurrentActivation,
        }),
      ])
      const cell = call.op === 'gru_cell'
      const [steps, batch, features] = cell ? [1, ...call.input.shape] : call.input.shape
      const state = call.hiddenState ?? options.initialHiddenState
      // Output 0 is the last state, output 1 the sequence, both with the axis of directions.
      const wanted = expected['1'] ?? expected['0']
      const outSteps = expected['1'] === undefined ? null : steps
      return {
        name,
        model,
        input: batchFirst(call.input.data, steps, batch, features),
        ...(state && { initialState: rows(state.data, units) }),
        calls: 1,
        expected:
          outSteps === null ? wanted : Array.from(batchFirst(wanted, outSteps, batch, units).data),
        tolerance: { atol: 1e-6, rtol: 1e-6 },
      }
    },
  )
}

interface CandleCase {
  readonly name: string
  readonly weights: Readonly<Record<'W_ih' | 'W_hh' | 'b_ih' | 'b_hh', NestedNumbers>>
  readonly x: readonly (readonly (readonly number[])[])[]
  readonly expected_h: NestedNumbers
  readonly tolerance: { readonly atol: number }
}

/** candle: PyTorch's layout, the last state. */
export function candleCases(): readonly PeerCase[] {
  return sharedCases<CandleCase>('vectors/candle/cases.json').map(
    ({ name, weights, x, expected_h, tolerance }) => ({
      name,
      model: sequential([
        gru({
          kernel: weights.W_ih,
          recurrentKernel: weights.W_hh,
          bias: weights.b_ih,
          recurrentBias: weights.b_hh,
          gateOrder: 'rzn',
          reset: 'after',
          transposed: true,
          returnSequences: false,
        }),
      ]),
      input: [x.map(([row]) => row)],
      calls: 1,
      expected: expected_h.flat() as number[],
      tolerance: { atol: tolerance.atol, rtol: 0 },
    }),
  )
}

interface RtNeuralCase {
  readonly name: string
  readonly model: string
  readonly x: string
  readonly y: string
  readonly layout?: string
}

interface RtNeuralLayer {
  readonly type: string
  readonly activation: string
  readonly weights: readonly NestedNumbers[]
}

/** RTNeural: layer lists in Keras's layout, or a PyTorch state dict printed as JSON. */
export function rtNeuralCases(): readonly PeerCase[] {
  const folder = 'vectors/rtneural/'
  const column = (file: string): Tensor =>
    readTable(readFileSync(sharedPath(folder + file), 'utf8'))
  return sharedCases<RtNeuralCase>(`${folder}cases.json`).map((test) => {
    const json: unknown = JSON.parse(readFileSync(sharedPath(folder + test.model), 'utf8'))
    const layers =
      test.layout === undefined
        ? (json as { layers: readonly RtNeuralLayer[] }).layers.map(rtNeuralLayer)
        : stateDictLayers(json as Readonly<Record<string, NestedNumbers>>)
    return {
      name: test.name,
      model: sequential(layers),
      input: column(test.x),
      calls: 1,
      expected: Array.from(column(test.y).data),
      tolerance: { atol: 2e-6, rtol: 0 },
    }
  })
}

function rtNeuralLayer({ type, activation, weights }: RtNeuralLayer): ReturnType<typeof gru> {
  if (type === 'gru') {
    const [kernel, recurrentKernel, bias] = weights
    return gru({ kernel, recurrentKernel, bias, gateOrder: 'zrn', reset: 'after', activation })
  }
  const [kernel, bias] = weights
  return dense({ kernel, bias, activation: activation || 'linear' })
}

function stateDictLayers(dict: Readonly<Record<string, NestedNumbers>>): ReturnType<typeof gru>[] {
  const layer = (module: string, index: number): ReturnType<typeof gru> =>
    gru({
      kernel: dict[`${module}.weight_ih_l${index}`],
      recurrentKernel: dict[`${module}.weight_hh_l${index}`],
      bias: dict[`${module}.bias_ih_l${index}`],
      recurrentBias: dict[`${module}.bias_hh_l${index}`],
      gateOrder: 'rzn',
      reset: 'after',
      transposed: true,
    })
  return [
    layer('gru', 0),
    layer('gru2', 0),
    layer('gru2', 1),
    layer('gru2', 2),
    dense({ kernel: dict['dense.weight'], bias: dict['dense.bias'], transposed: true }),
  ]
}

/** [steps, batch, width] numbers as a [batch, steps, width] tensor. */
function batchFirst(data: readonly number[], steps: number, batch: number, width: number): Tensor {
  const out = new Float64Array(data.length)
  for (let t = 0; t < steps; t++) {
    for (let b = 0; b < batch; b++) {
      for (let i = 0; i < width; i++)
        out[(b * steps + t) * width + i] = data[(t * batch + b) * width + i]
    }
  }
  return { shape: [batch, steps, width], data: out }
}

function rows(data: readonly number[], width: number): number[][] {
  return Array.from({ length: data.length / width }, (_, i) =>
    data.slice(i * width, (i + 1) * width),
  )
}
