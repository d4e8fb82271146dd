/** The cells of recurrent layers: packed arrays as Keras has them → nodes by gate. */

import { GruvError } from '../../../errors.ts'
import {
  type ElementwiseActivation,
  isElementwise,
  showActivation,
} from '../../../model/activations.ts'
import type { Convention } from '../../../model/conventions.ts'
import { type Ground, gruNode } from '../../../model/gru.ts'
import type { MaskedOutput } from '../../../model/masking.ts'
import type { GruNode, LstmNode, RnnNode, Unwired } from '../../../model/types.ts'
import { type Named, showShape, sizeOf, type Tensor } from '../../../tensor.ts'
import { kerasActivation } from '../activations.ts'
import type { LayerConfig } from '../config.ts'
import { type LayerCall, sizeMismatch } from '../layer.ts'
import { isSince } from '../settings.ts'

export interface CellBehaviour {
  readonly direction: 'forward' | 'backward'
  readonly maskedOutput: MaskedOutput
}

export type CellNode = Unwired<GruNode> | Unwired<LstmNode> | Unwired<RnnNode>

export const cellClasses: readonly string[] = ['GRUCell', 'LSTMCell', 'SimpleRNNCell']

/** The node of a cell, or of a layer that is named after its cell. */
export function cellNode(
  call: LayerCall,
  cell: LayerConfig,
  arrays: Named<Tensor>,
  behaviour: CellBehaviour,
): CellNode {
  const cudnn = cell.className.startsWith('CuDNN')
  const kind = cell.className.replace(/^CuDNN/, '').replace(/Cell$/, '')
  switch (kind) {
    case 'GRU':
      return gru(call, cell, cudnn ? fromCudnn(call, arrays, 3) : arrays, behaviour, cudnn)
    case 'LSTM':
      return lstm(call, cell, cudnn ? fromCudnn(call, arrays, 4) : arrays, behaviour, cudnn)
    case 'SimpleRNN':
      return simple(call, cell, arrays, behaviour)
    default:
      throw new GruvError('unsupported', `the cell ${cell.className}`, { where: call.name })
  }
}

function gru(
  call: LayerCall,
  { settings }: LayerConfig,
  { kernel, recurrent_kernel: recurrentKernel, bias }: Named<Tensor>,
  { direction, maskedOutput }: CellBehaviour,
  cudnn: boolean,
): Unwired<GruNode> {
  const inKeras = <T>(value: T): Ground<T> => ({ value, origin: 'implied', why: 'Keras does so' })
  const stated = settings.get('reset_after')
  const reset: Ground<'after' | 'before'> | undefined = cudnn
    ? { value: 'after', origin: 'implied', why: 'cuDNN does so' }
    : typeof stated === 'boolean'
      ? {
          value: stated ? 'after' : 'before',
          origin: 'stated',
          why: `the file says reset_after=${stated ? 'True' : 'False'}`,
        }
      : bias !== undefined && bias.shape.length === 2
        ? { value: 'after', origin: 'implied', why: `the biases are ${showShape(bias.shape)}` }
        : call.version.stated === null
          ? undefined
          : bias === undefined && call.version.major >= 3
            ? { value: 'after', origin: 'implied', why: 'Keras’s default' }
            : {
                value: 'before',
                origin: 'implied',
                why: 'the file says nothing of reset_after, which older versions of Keras did not have',
              }
  return gruNode(
    call.name,
    { kernel, recurrentKernel, bias },
    {
      gateOrder: inKeras('zrn'),
      transposed: inKeras('no'),
      update: inKeras('keeps'),
      ...(reset && { reset }),
      activation: activationGround(call, settings, ['activation'], 'tanh', cudnn),
      recurrentActivation: activationGround(
        call,
        settings,
        ['recurrent_activation', 'inner_activation'],
        cudnn ? 'sigmoid' : gateDefault(call),
        cudnn,
      ),
    },
    call.conventions,
    { direction, maskedOutput },
  )
}

function lstm(
  call: LayerCall,
  { settings }: LayerConfig,
  { kernel, recurrent_kernel: recurrent, bias }: Named<Tensor>,
  { direction, maskedOutput }: CellBehaviour,
  cudnn: boolean,
): Unwired<LstmNode> {
  const { features, units } = sizes(call, kernel, recurrent, 4)
  const size = bias === undefined ? 0 : sizeOf(bias.shape)
  if (bias !== undefined && size !== 4 * units && size !== 8 * units)
    throw sizeMismatch(`${call.name}: bias`, `[${4 * units}]`, showShape(bias.shape))
  // cuDNN's two biases come one after the other.
  const both = size === 8 * units
  const gates = (tensor: Tensor): { i: Tensor; f: Tensor; g: Tensor; o: Tensor } => {
    const [i, f, g, o] = columns(tensor, 4)
    return { i, f, g, o }
  }
  const half = (at: number): Tensor => ({
    shape: [4 * units],
    data: bias!.data.slice(at * 4 * units, (at + 1) * 4 * units),
    ...(bias!.dtype && { dtype: bias!.dtype }),
  })
  const act = activationGround(call, settings, ['activation'], 'tanh', cudnn)
  const recurrentAct = activationGround(
    call,
    settings,
    ['recurrent_activation', 'inner_activation'],
    cudnn ? 'sigmoid' : gateDefault(call),
    cudnn,
  )
  return {
    kind: 'lstm',
    name: call.name,
    features,
    units,
    direction,
    maskedOutput,
    clip: null,
    coupled: false,
    activation: act.value,
    outputActivation: act.value,
    recurrentActivation: recurrentAct.value,
    conventions: conventionsOf(act, recurrentAct),
    weights: {
      kernel: gates(kernel),
      recurrentKernel: gates(recurrent),
      inputBias: bias === undefined ? null : gates(half(0)),
      recurrentBias: both ? gates(half(1)) : null,
      peephole: null,
    },
  }
}

function simple(
  call: LayerCall,
  { settings }: LayerConfig,
  { kernel, recurrent_kernel: recurrentKernel, bias }: Named<Tensor>,
  { direction, maskedOutput }: CellBehaviour,
): Unwired<RnnNode> {
  const { features, units } = sizes(call, kernel, recurrentKernel, 1)
  if (bias !== undefined && sizeOf(bias.shape) !== units)
    throw sizeMismatch(`${call.name}: bias`, `[${units}]`, showShape(bias.shape))
  const act = activationGround(call, settings, ['activation'], 'tanh', false)
  return {
    kind: 'rnn',
    name: call.name,
    features,
    units,
    direction,
    maskedOutput,
    clip: null,
    activation: act.value,
    conventions: conventionsOf(act),
    weights: {
      kernel,
      recurrentKernel,
      inputBias: bias === undefined ? null : { ...bias, shape: [units] },
      recurrentBias: null,
    },
  }
}

function conventionsOf(
  act: Ground<ElementwiseActivation>,
  recurrent?: Ground<ElementwiseActivation>,
): readonly Convention[] {
  return [
    { key: 'activation', ...act, value: showActivation(act.value) },
    ...(recurrent === undefined
      ? []
      : [
          {
            key: 'recurrentActivation' as const,
            ...recurrent,
            value: showActivation(recurrent.value),
          },
        ]),
  ]
}

/** Keras's own default for gates: `hard_sigmoid` until 2.3. */
function gateDefault({ version }: LayerCall): string {
  return version.stated !== null && !isSince(version, [2, 3]) ? 'hard_sigmoid' : 'sigmoid'
}

function activationGround(
  call: LayerCall,
  settings: LayerConfig['settings'],
  keys: readonly string[],
  fallback: string,
  cudnn: boolean,
): Ground<ElementwiseActivation> {
  const stated = cudnn ? undefined : settings.get(...keys)
  const value = kerasActivation(stated === undefined ? fallback : stated, call.version, call.name)
  if (!isElementwise(value)) {
    throw new GruvError('unsupported', `${value.kind} cannot be an activation of a cell`, {
      where: call.name,
      expected: 'an elementwise activation',
    })
  }
  if (cudnn) return { value, origin: 'implied', why: 'cuDNN knows no other' }
  return stated === undefined
    ? {
        value,
        origin: call.version.stated === null ? 'assumed' : 'implied',
        why: 'Keras’s default, and the file names none',
      }
    : { value, origin: 'stated', why: `the file says ${keys[0]}` }
}

function sizes(
  call: LayerCall,
  kernel: Tensor,
  recurrent: Tensor,
  gates: number,
): { readonly features: number; readonly units: number } {
  const [units, width] = recurrent.shape
  if (recurrent.shape.length !== 2 || width !== gates * units || units === 0)
    throw sizeMismatch(
      `${call.name}: recurrent_kernel`,
      `[units, ${gates === 1 ? '' : `${gates}·`}units]`,
      showShape(recurrent.shape),
    )
  if (kernel.shape.length !== 2 || kernel.shape[1] !== width || kernel.shape[0] === 0)
    throw sizeMismatch(`${call.name}: kernel`, `[features, ${width}]`, showShape(kernel.shape))
  return { features: kernel.shape[0], units }
}

/** A packed array as its gates: equal blocks of the last axis. */
function columns(packed: Tensor, count: number): readonly Tensor[] {
  const width = packed.shape.at(-1)!
  const units = width / count
  const rows = packed.data.length / width
  return Array.from({ length: count }, (_, gate): Tensor => {
    const data = packed.data.slice(0, rows * units)
    for (let row = 0; row < rows; row++) {
      const from = row * width + gate * units
      data.set(packed.data.subarray(from, from + units), row * units)
    }
    return { ...packed, shape: [...packed.shape.slice(0, -1), units], data }
  })
}

/**
 * cuDNN keeps each gate's matrices as [units, inputs]; Keras's CuDNN layers store those numbers
 * under the shape [inputs, units] (`_convert_rnn_weights` in Keras 2's hdf5_format).
 */
function fromCudnn(call: LayerCall, arrays: Named<Tensor>, gates: number): Named<Tensor> {
  const turned = (packed: Tensor, what: string): Tensor => {
    const [rows, width] = packed.shape
    if (packed.shape.length !== 2 || width % gates !== 0)
      throw sizeMismatch(
        `${call.name}: ${what}`,
        `[inputs, ${gates}·units]`,
        showShape(packed.shape),
      )
    const units = width / gates
    const data = packed.data.slice()
    for (let gate = 0; gate < gates; gate++) {
      for (let p = 0; p < rows * units; p++) {
        // Number p of the gate, read row by row, stands at [p % rows, ⌊p / rows⌋] of the true matrix.
        const number = packed.data[Math.floor(p / units) * width + gate * units + (p % units)]
        data[(p % rows) * width + gate * units + Math.floor(p / rows)] = number
      }
    }
    return { ...packed, data }
  }
  return {
    ...arrays,
    kernel: turned(arrays.kernel, 'kernel'),
    recurrent_kernel: turned(arrays.recurrent_kernel, 'recurrent_kernel'),
  }
}
