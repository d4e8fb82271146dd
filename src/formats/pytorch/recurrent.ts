/**
 * Recognises recurrent PyTorch modules by the names and shapes of their parameters alone: nn.GRU,
 * nn.LSTM, nn.RNN (`weight_ih_l0`, `weight_hh_l0_reverse`, …) and their cells (`weight_ih`).
 *
 * PyTorch 1.13's documentation of nn.GRU, nn.LSTM and nn.RNN gives shapes and gate orders.
 */

import { isTensor, type TorchTensor } from '../../bytes/torch/values.ts'
import { GruvError, isGruvError } from '../../errors.ts'
import { showShape } from '../../tensor.ts'
import type { StateModule } from './state-dict.ts'

export type RecurrentKind = 'gru' | 'lstm' | 'rnn'

/** One layer in one direction. */
export interface DirectionArrays {
  /** [gates·units, features] */
  readonly kernel: TorchTensor
  /** [gates·units, units] */
  readonly recurrentKernel: TorchTensor
  /** [gates·units] each, or none. */
  readonly bias: TorchTensor | null
  readonly recurrentBias: TorchTensor | null
}

export interface RecurrentModule {
  readonly module: StateModule
  readonly name: string
  readonly kind: RecurrentKind
  /** GRUCell, LSTMCell or RNNCell rather than a layer. */
  readonly cell: boolean
  readonly features: number
  readonly units: number
  /** Layer by layer; forward, then backward if there is one. */
  readonly layers: readonly (readonly DirectionArrays[])[]
  /** Of nn.RNN, where the file says: `tanh` or `relu`. */
  readonly nonlinearity: string | null
}

/** Rows of a recurrent kernel for each unit. */
const kinds: Readonly<Record<number, RecurrentKind>> = { 1: 'rnn', 3: 'gru', 4: 'lstm' }

const titles = { gru: 'GRU', lstm: 'LSTM', rnn: 'RNN' } as const

/** Whether the module has the parameters of a recurrent one. */
export function isRecurrent({ parameters }: StateModule): boolean {
  return (
    (parameters.has('weight_hh_l0') && parameters.has('weight_ih_l0')) ||
    (parameters.has('weight_hh') && parameters.has('weight_ih'))
  )
}

/**
 * @throws GruvError `bad-shape` when the shapes fit no such module, `unsupported` for LSTMs with
 *   projections and for quantised or sparse tensors.
 */
export function recurrentModule(module: StateModule): RecurrentModule {
  const { parameters } = module
  if (!isRecurrent(module)) {
    throw new GruvError('not-found', 'this module has no recurrent kernels', {
      where: module.path || 'the file',
      expected: 'weight_ih_l0 and weight_hh_l0, or weight_ih and weight_hh',
      got: [...parameters.keys()].slice(0, 8).join(', '),
    })
  }
  const cell = !parameters.has('weight_hh_l0')
  if (parameters.has('weight_hr_l0')) {
    throw new GruvError('unsupported', 'an LSTM with projections (proj_size) is not read', {
      where: module.path || 'the file',
    })
  }
  const layers: (readonly DirectionArrays[])[] = []
  for (let k = 0; parameters.has(cell ? 'weight_ih' : `weight_ih_l${k}`); k++) {
    const suffix = cell ? '' : `_l${k}`
    const both = !cell && parameters.has(`weight_ih${suffix}_reverse`)
    layers.push([
      direction(module, suffix),
      ...(both ? [direction(module, `${suffix}_reverse`)] : []),
    ])
    if (cell) break
  }
  for (const name of cell ? [] : parameters.keys()) {
    const k = Number(/^weight_hh_l(\d+)/.exec(name)?.[1] ?? 0)
    if (k < layers.length) continue
    throw new GruvError(
      'not-found',
      `the module has a layer ${k}, and layers before it are missing`,
      {
        where: module.path || 'the file',
        expected: `weight_ih_l${layers.length}`,
      },
    )
  }
  const { kind, units } = kindOf(module, layers[0][0].recurrentKernel)
  layers.forEach((directions, k) => {
    checkLayer(module, directions, layers[0].length, { kind, units, k })
  })
  return {
    module,
    name: module.name || kind,
    kind,
    cell,
    features: layers[0][0].kernel.shape[1],
    units,
    layers,
    nonlinearity: kind === 'rnn' ? nonlinearityOf(module) : null,
  }
}

function direction(module: StateModule, suffix: string): DirectionArrays {
  const tensor = (name: string): TorchTensor | null => {
    const found = module.parameters.get(name)
    if (found === undefined) return null
    if (isTensor(found)) return found
    throw new GruvError('unsupported', 'this parameter is not an ordinary tensor', {
      where: `${module.path || 'the file'}: ${name}`,
      got: found.className,
    })
  }
  const kernel = tensor(`weight_ih${suffix}`)
  const recurrentKernel = tensor(`weight_hh${suffix}`)
  if (kernel === null || recurrentKernel === null) {
    throw new GruvError('not-found', 'a recurrent module lacks one of its kernels', {
      where: module.path || 'the file',
      expected: `weight_ih${suffix} and weight_hh${suffix}`,
    })
  }
  const [bias, recurrentBias] = [tensor(`bias_ih${suffix}`), tensor(`bias_hh${suffix}`)]
  return { kernel, recurrentKernel, bias, recurrentBias }
}

function kindOf(
  module: StateModule,
  { shape }: TorchTensor,
): { kind: RecurrentKind; units: number } {
  const [rows, units] = shape
  const kind = shape.length === 2 && units > 0 ? kinds[rows / units] : undefined
  if (kind !== undefined) return { kind, units }
  throw new GruvError('bad-shape', 'no recurrent module has a kernel of this shape', {
    where: `${module.path || 'the file'}: weight_hh`,
    expected: '[3·units, units] (GRU), [4·units, units] (LSTM) or [units, units] (RNN)',
    got: showShape(shape),
  })
}

function checkLayer(
  module: StateModule,
  directions: readonly DirectionArrays[],
  expected: number,
  { kind, units, k }: { readonly kind: RecurrentKind; readonly units: number; readonly k: number },
): void {
  const rows = units * Number(Object.keys(kinds).find((gates) => kinds[Number(gates)] === kind))
  if (directions.length !== expected) {
    throw new GruvError('bad-shape', 'the layers differ in their directions', {
      where: `${module.path || 'the file'}, layer ${k}`,
      expected: `${expected}`,
      got: `${directions.length}`,
    })
  }
  for (const { kernel, recurrentKernel, bias, recurrentBias } of directions) {
    const features = k === 0 ? directions[0].kernel.shape[1] : expected * units
    const check = (what: string, tensor: TorchTensor | null, shape: readonly number[]): void => {
      if (tensor === null || showShape(tensor.shape) === showShape(shape)) return
      throw new GruvError(
        'bad-shape',
        `a ${titles[kind]} of ${units} units has another shape here`,
        {
          where: `${module.path || 'the file'}, layer ${k}: ${what}`,
          expected: showShape(shape),
          got: showShape(tensor.shape),
        },
      )
    }
    check('weight_ih', kernel, [rows, features])
    check('weight_hh', recurrentKernel, [rows, units])
    check('bias_ih', bias, [rows])
    check('bias_hh', recurrentBias, [rows])
  }
}

/** A module that is the whole file has no name; it is named after its kind, if that is free. */
export function withNames(modules: readonly StateModule[]): readonly StateModule[] {
  return modules.map((module) => {
    if (module.name !== '' || !isRecurrent(module)) return module
    const { kind } = recurrentModule(module)
    return modules.some(({ name }) => name === kind) ? module : { ...module, name: kind }
  })
}

/** nn.RNN keeps it as an attribute, cells too; older ones in `mode`, RNN_TANH or RNN_RELU. */
function nonlinearityOf({ attributes }: StateModule): string | null {
  const stated = attributes?.get('nonlinearity') ?? attributes?.get('mode')
  return typeof stated === 'string' ? stated.replace(/^RNN_/, '').toLowerCase() : null
}

/** `gru: GRU, 4 → 50, 2 layers` */
function showRecurrent({ name, kind, cell, features, units, layers }: RecurrentModule): string {
  const details = [
    `${titles[kind]}${cell ? 'Cell' : ''}`,
    `${features} → ${units}`,
    ...(layers.length > 1 ? [`${layers.length} layers`] : []),
    ...(layers[0].length > 1 ? ['both directions'] : []),
    ...(layers[0][0].bias === null ? ['no biases'] : []),
  ]
  return `${name}: ${details.join(', ')}`
}

/** `gru: GRU, 4 → 50, 2 layers`, or for any other module `fc: weight [1, 50], bias [1]`. */
export function showModule(module: StateModule): string {
  if (isRecurrent(module)) {
    try {
      return showRecurrent(recurrentModule(module))
    } catch (error) {
      // One that cannot be read is shown by its parameters; it throws when it is chosen.
      if (!isGruvError(error)) throw error
    }
  }
  const parts = [...module.parameters].slice(0, 5).map(([name, each]) => {
    const what = isTensor(each) ? showShape(each.shape.slice(0, 4)) : each.className
    return `${name} ${what}`.slice(0, 40)
  })
  return `${module.name.slice(0, 60) || 'parameters'}: ${parts.join(', ')}`
}
