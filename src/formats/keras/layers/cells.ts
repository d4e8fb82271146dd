/** Builds the nodes of recurrent cells from Keras's packed arrays. */

import { GruvError } from '../../../errors.ts'
import {
  type ElementwiseActivation,
  isElementwise,
  showActivation,
} from '../../../model/activation/activations.ts'
import type { Convention } from '../../../model/conventions/conventions.ts'
import { type Ground, implied, stated } from '../../../model/conventions/grounds.ts'
import { gruNode } from '../../../model/recurrent/gru.ts'
import { lstmNode } from '../../../model/recurrent/lstm.ts'
import { rnnNode } from '../../../model/recurrent/rnn.ts'
import type { GruNode, LstmNode, MaskedOutput, RnnNode, Unwired } from '../../../model/types.ts'
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
  behaviour: CellBehaviour,
  cudnn: boolean,
): Unwired<GruNode> {
  const resetAfter = settings.get('reset_after')
  const reset: Ground<'after' | 'before'> | undefined = cudnn
    ? implied('after', 'cuDNN does so')
    : typeof resetAfter === 'boolean'
      ? stated(
          resetAfter ? 'after' : 'before',
          `the file says reset_after=${resetAfter ? 'True' : 'False'}`,
        )
      : bias !== undefined && bias.shape.length === 2
        ? implied('after', `the biases are ${showShape(bias.shape)}`)
        : call.version.stated === null
          ? undefined
          : bias === undefined && call.version.major >= 3
            ? implied('after', 'Keras’s default')
            : implied(
                'before',
                'the file says nothing of reset_after, which older versions of Keras did not have',
              )
  return gruNode(
    call.name,
    { kernel, recurrentKernel, bias },
    {
      gateOrder: inKeras('zrn'),
      transposed: inKeras('no'),
      update: inKeras('keeps'),
      ...(reset && { reset }),
      ...activations(call, settings, cudnn),
    },
    call.conventions,
    behaviour,
  )
}

function lstm(
  call: LayerCall,
  { settings }: LayerConfig,
  { kernel, recurrent_kernel: recurrentKernel, bias }: Named<Tensor>,
  behaviour: CellBehaviour,
  cudnn: boolean,
): Unwired<LstmNode> {
  const units = unitsOf(call, kernel, recurrentKernel, 4)
  // cuDNN's two biases come one after the other.
  const flat = flatBias(call, bias, 4 * units, 8 * units)
  const grounds = activations(call, settings, cudnn)
  const node = lstmNode(
    call.name,
    { kernel, recurrentKernel, bias: flat },
    { gateOrder: inKeras('ifgo'), transposed: inKeras('no'), ...grounds },
    {},
    behaviour,
  )
  return { ...node, conventions: conventionsOf(grounds) }
}

function simple(
  call: LayerCall,
  { settings }: LayerConfig,
  { kernel, recurrent_kernel: recurrentKernel, bias }: Named<Tensor>,
  behaviour: CellBehaviour,
): Unwired<RnnNode> {
  const units = unitsOf(call, kernel, recurrentKernel, 1)
  const activation = activationGround(call, settings, ['activation'], 'tanh', false)
  const node = rnnNode(
    call.name,
    { kernel, recurrentKernel, bias: flatBias(call, bias, units) },
    { transposed: inKeras('no'), activation },
    {},
    behaviour,
  )
  return { ...node, conventions: conventionsOf({ activation }) }
}

function inKeras<T>(value: T): Ground<T> {
  return implied(value, 'Keras does so')
}

/** The biases as one axis of one of these sizes. */
function flatBias(
  call: LayerCall,
  bias: Tensor | undefined,
  ...sizes: readonly number[]
): Tensor | undefined {
  if (bias === undefined) return undefined
  const size = sizeOf(bias.shape)
  if (sizes.includes(size)) return { ...bias, shape: [size] }
  throw sizeMismatch(`${call.name}: bias`, `[${sizes[0]}]`, showShape(bias.shape))
}

/** Of LSTM and SimpleRNN, the decisions that versions of Keras differ in. */
function conventionsOf(
  grounds: Readonly<Record<string, Ground<ElementwiseActivation>>>,
): readonly Convention[] {
  return Object.entries(grounds).map(([key, ground]) => ({
    key: key as 'activation' | 'recurrentActivation',
    ...ground,
    value: showActivation(ground.value),
  }))
}

function activations(
  call: LayerCall,
  settings: LayerConfig['settings'],
  cudnn: boolean,
): Readonly<Record<'activation' | 'recurrentActivation', Ground<ElementwiseActivation>>> {
  const keys = ['recurrent_activation', 'inner_activation']
  const gates = cudnn ? 'sigmoid' : gateDefault(call)
  return {
    activation: activationGround(call, settings, ['activation'], 'tanh', cudnn),
    recurrentActivation: activationGround(call, settings, keys, gates, cudnn),
  }
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
  const named = cudnn ? undefined : settings.get(...keys)
  const value = kerasActivation(named === undefined ? fallback : named, call.version, call.name)
  if (!isElementwise(value)) {
    throw new GruvError('unsupported', `${value.kind} cannot be an activation of a cell`, {
      where: call.name,
      expected: 'an elementwise activation',
    })
  }
  if (cudnn) return implied(value, 'cuDNN knows no other')
  return named === undefined
    ? {
        value,
        origin: call.version.stated === null ? 'assumed' : 'implied',
        why: 'Keras’s default, and the file names none',
      }
    : stated(value, `the file says ${keys[0]}`)
}

/** Checks the kernels against each other. */
function unitsOf(call: LayerCall, kernel: Tensor, recurrent: Tensor, gates: number): number {
  const [units, width] = recurrent.shape
  if (recurrent.shape.length !== 2 || width !== gates * units || units === 0)
    throw sizeMismatch(
      `${call.name}: recurrent_kernel`,
      `[units, ${gates === 1 ? '' : `${gates}·`}units]`,
      showShape(recurrent.shape),
    )
  if (kernel.shape.length !== 2 || kernel.shape[1] !== width || kernel.shape[0] === 0)
    throw sizeMismatch(`${call.name}: kernel`, `[features, ${width}]`, showShape(kernel.shape))
  return units
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
        // Number p of the gate, read row by row, stands at [p % rows, ⌊p / rows⌋] of the true
        // matrix.
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
