/**
 * Turns other projects' GRU test cases, each in its own vocabulary, into a gruv model, an input and
 * an expected output.
 */

import { readFileSync } from 'node:fs'
import type { RunOptions } from '../../src/index.ts'
import {
  bidirectional,
  dense,
  type GateOrder,
  type GruOptions,
  gru,
  type Model,
  sequential,
} from '../../src/model/index.ts'
import type { NestedNumbers, Tensor } from '../../src/tensor.ts'
import { sharedCases, sharedPath } from './shared.ts'

export interface PeerCase {
  readonly name: string
  readonly model: Model
  readonly input: NestedNumbers | Tensor
  readonly run?: RunOptions
  /** How many times the input is run, with the state carried over. */
  readonly calls: number
  readonly expected: readonly number[]
  readonly tolerance: { readonly atol: number; readonly rtol: number }
}

interface KerasWeights {
  readonly kernel: NestedNumbers
  readonly recurrent_kernel: NestedNumbers
  readonly bias?: NestedNumbers
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
    readonly zero_output_for_mask?: boolean
    readonly merge_mode?: 'concat' | 'sum' | 'mul' | 'ave'
  }
  readonly weights: KerasWeights | { readonly fwd: KerasWeights; readonly bwd: KerasWeights }
  readonly x: NestedNumbers
  readonly h0?: NestedNumbers | null
  readonly mask?: readonly (readonly boolean[])[] | null
  readonly calls?: number
  readonly expected?: NestedNumbers
  readonly expected_call2?: number
  readonly tolerance: { readonly atol: number; readonly rtol?: number }
}

/** Cases of Keras, TF.js and keras-js, which all use Keras's vocabulary. */
export function kerasCases(peer: 'keras' | 'tfjs' | 'keras-js'): readonly PeerCase[] {
  return sharedCases<KerasCase>(`vectors/${peer}/cases.json`).map((test) => {
    const { args } = test
    const options = (weights: KerasWeights): GruOptions => ({
      kernel: weights.kernel,
      recurrentKernel: weights.recurrent_kernel,
      ...(weights.bias && { bias: weights.bias }),
      reset: (args.reset_after ?? true) ? 'after' : 'before',
      gateOrder: 'zrn',
      activation: args.activation ?? 'tanh',
      // TF.js writes "hard_sigmoid (0.2x+0.5)".
      recurrentActivation: args.recurrent_activation?.split(' ')[0] ?? 'sigmoid',
      returnSequences: args.return_sequences ?? false,
      goBackwards: args.go_backwards ?? false,
      maskedOutput: args.zero_output_for_mask ? 'zero' : 'repeat',
    })
    const { weights } = test
    // keras-js has weights for each half, Keras's own test the same constants for both.
    const [forward, backward] = 'fwd' in weights ? [weights.fwd, weights.bwd] : [weights, weights]
    const layer = test.layer?.startsWith('Bidirectional')
      ? bidirectional({
          forward: options(forward),
          backward: options(backward),
          merge: args.merge_mode ?? 'concat',
        })
      : gru(options(forward))
    const twice = test.expected_call2 !== undefined
    const size = (test.x as readonly unknown[]).length * args.units
    return {
      name: test.name,
      model: sequential([layer]),
      input: test.x,
      run: {
        ...(test.h0 && { initialState: test.h0 }),
        ...(test.mask && { mask: test.mask }),
      },
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

/**
 * webnn-baseline: [steps, batch, features], a leading axis for directions, [3·units, …] kernels.
 */
export function webNnCases(): readonly PeerCase[] {
  return sharedCases<WebNnCase>('vectors/webnn-baseline/cases.json').map(
    ({ name, call, expected }) => {
      const { options, hiddenSize: units } = call
      const [recurrentActivation, activation] = (options.activations ?? ['sigmoid', 'tanh']).map(
        (each) => each.replace('fn:', ''),
      )
      // Output 0 is the last state, output 1 the sequence, both with an axis of directions.
      const sequences = expected['1'] !== undefined
      const half = (direction: number): GruOptions => ({
        kernel: directionOf(call.weight, direction, 2),
        recurrentKernel: directionOf(call.recurrentWeight, direction, 2),
        ...(options.bias && { bias: directionOf(options.bias, direction, 1) }),
        ...(options.recurrentBias && {
          recurrentBias: directionOf(options.recurrentBias, direction, 1),
        }),
        gateOrder: options.layout ?? 'zrn',
        reset: (options.resetAfter ?? true) ? 'after' : 'before',
        transposed: true,
        activation,
        recurrentActivation,
        returnSequences: sequences,
      })
      const cell = call.op === 'gru_cell'
      const [steps, batch, features] = cell ? [1, ...call.input.shape] : call.input.shape
      const state = call.hiddenState ?? options.initialHiddenState
      const direction = options.direction ?? 'forward'
      return {
        name,
        ...directed(direction, half, state && ((d) => rows(directionOf(state, d, 2))), {}),
        input: batchFirst(call.input.data, steps, batch, features),
        calls: 1,
        expected: sequences
          ? fromDirections(expected['1'], steps, batch, units)
          : fromDirections(expected['0'], 1, batch, units),
        tolerance: { atol: 1e-6, rtol: 1e-6 },
      }
    },
  )
}

interface OnnxCase {
  readonly name: string
  readonly attrs: {
    readonly hidden_size: number
    readonly direction?: 'forward' | 'reverse' | 'bidirectional'
    readonly layout?: 0 | 1
    readonly linear_before_reset?: 0 | 1
  }
  readonly inputs: Readonly<Record<string, NestedNumbers>>
  readonly outputs: Readonly<Record<'Y' | 'Y_h', NestedNumbers>>
  readonly tolerance: { readonly atol: number; readonly rtol: number }
}

/** ONNX's node tests, arrays only: layout 0 is time first, layout 1 batch first. */
export function onnxCases(): readonly PeerCase[] {
  return sharedCases<OnnxCase>('vectors/onnx-node/cases.json').map(
    ({ name, attrs, inputs, outputs, tolerance }) => {
      const at = (input: string, direction: number): NestedNumbers =>
        inputs[input][direction] as NestedNumbers
      const half = (direction: number): GruOptions => ({
        kernel: at('W', direction),
        recurrentKernel: at('R', direction),
        ...(inputs.B && { bias: at('B', direction) }),
        gateOrder: 'zrn',
        reset: attrs.linear_before_reset ? 'after' : 'before',
        biasPlacement: 'separate',
        transposed: true,
        returnSequences: false,
      })
      const x = inputs.X as number[][][]
      const input = attrs.layout === 1 ? x : x[0].map((_, row) => x.map((step) => step[row]))
      const last = outputs.Y_h as number[][][]
      const batch = input.length
      const directions = attrs.direction === 'bidirectional' ? 2 : 1
      return {
        name,
        ...directed(webNnDirection[attrs.direction ?? 'forward'], half, undefined, {
          ...(inputs.sequence_lens && { lengths: inputs.sequence_lens as number[] }),
        }),
        input,
        calls: 1,
        expected: Array.from({ length: batch }, (_, row) =>
          Array.from({ length: directions }, (_, d) =>
            attrs.layout === 1 ? last[row][d] : last[d][row],
          ),
        ).flat(2),
        tolerance,
      }
    },
  )
}

const webNnDirection = { forward: 'forward', reverse: 'backward', bidirectional: 'both' } as const

/** A layer in one direction or in both, and the run options that go with it. */
function directed(
  direction: string,
  half: (direction: number) => GruOptions,
  state: ((direction: number) => NestedNumbers) | undefined,
  run: RunOptions,
): Pick<PeerCase, 'model' | 'run'> {
  if (direction === 'both') {
    const layer = bidirectional({ forward: half(0), backward: half(1) })
    const initialState = state && {
      'bidirectional.forward.h': state(0),
      'bidirectional.backward.h': state(1),
    }
    return { model: sequential([layer]), run: { ...run, ...(initialState && { initialState }) } }
  }
  const model = sequential([gru({ ...half(0), goBackwards: direction === 'backward' })])
  return { model, run: { ...run, ...(state && { initialState: state(0) }) } }
}

/** Direction d of a tensor with a leading axis of directions, or of one without (a cell's). */
function directionOf({ shape, data }: WebNnTensor, direction: number, axes: number): Tensor {
  const rest = shape.slice(-axes)
  const size = rest.reduce((a, b) => a * b, 1)
  return {
    shape: rest,
    data: Float64Array.from(data.slice(direction * size, (direction + 1) * size)),
  }
}

/** [steps, directions, batch, units] as [batch, steps, directions·units]. */
function fromDirections(
  data: readonly number[],
  steps: number,
  batch: number,
  units: number,
): readonly number[] {
  const directions = data.length / (steps * batch * units)
  const out: number[] = []
  for (let b = 0; b < batch; b++) {
    for (let t = 0; t < steps; t++) {
      for (let d = 0; d < directions; d++) {
        const from = ((t * directions + d) * batch + b) * units
        out.push(...data.slice(from, from + units))
      }
    }
  }
  return out
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
  const column = (file: string): Tensor => {
    const lines = readFileSync(sharedPath(folder + file), 'utf8')
      .trim()
      .split('\n')
    return { shape: [lines.length, 1], data: Float64Array.from(lines, Number) }
  }
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

function rows({ shape, data }: Tensor): number[][] {
  const width = shape.at(-1)!
  return Array.from({ length: data.length / width }, (_, i) =>
    Array.from(data.slice(i * width, (i + 1) * width)),
  )
}
