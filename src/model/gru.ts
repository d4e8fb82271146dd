/**
 * A GRU node from packed arrays: the one place where a foreign layout becomes ours.
 *
 * What the reader knows goes in as grounds, what the caller insists on as options; what neither
 * says is read off the shapes where they tell, and otherwise assumed as Keras writes it. Every
 * decision comes out as a `Convention`, so that `inspect` can show it and nothing is silent.
 */

import { GruvError } from '../errors.ts'
import { showShape, sizeOf, type Tensor } from '../tensor.ts'
import {
  type Activation,
  activation,
  type ElementwiseActivation,
  isElementwise,
  showActivation,
} from './activations.ts'
import { sliceRows, splitGates, transpose } from './canonicalize.ts'
import {
  type Convention,
  type ConventionKey,
  type ConventionOptions,
  conventionTable,
  type GateOrder,
  type Origin,
} from './conventions.ts'
import type { GruNode, Unwired } from './types.ts'

/** A decision and what it rests on. */
export interface Ground<T> {
  readonly value: T
  readonly origin: Origin
  readonly why: string
}

export interface GruArrays {
  /** [features, 3·units], or [3·units, features] when transposed. */
  readonly kernel: Tensor
  /** [units, 3·units], or [3·units, units] when transposed. */
  readonly recurrentKernel: Tensor
  /** [3·units]; or [2, 3·units] or [6·units], the input bias before the recurrent one. */
  readonly bias?: Tensor | undefined
  /** [3·units]; `bias` is then the input bias alone. */
  readonly recurrentBias?: Tensor | undefined
}

export interface GruGrounds {
  readonly gateOrder?: Ground<GateOrder>
  readonly transposed?: Ground<'yes' | 'no'>
  readonly reset?: Ground<'after' | 'before'>
  readonly update?: Ground<'keeps' | 'updates'>
  readonly bias?: Ground<'separate' | 'merged'>
  readonly activation?: Ground<Activation>
  readonly recurrentActivation?: Ground<Activation>
}

/** What a layer does that is no matter of convention. */
export type GruBehaviour = Partial<Pick<GruNode, 'direction' | 'maskedOutput' | 'clip'>>

const KERAS = 'Keras does so, and nothing in the file says otherwise'

/**
 * @param name where messages point and states hang.
 * @throws GruvError `bad-shape` when the arrays do not fit together, `bad-argument` when an option
 *   contradicts them.
 */
export function gruNode(
  name: string,
  arrays: GruArrays,
  grounds: GruGrounds = {},
  options: ConventionOptions = {},
  { direction = 'forward', maskedOutput = 'repeat', clip = null }: GruBehaviour = {},
): Unwired<GruNode> {
  const conventions: Convention[] = []
  const note = (key: ConventionKey, { value, origin, why }: Ground<string>): void => {
    conventions.push({ key, value, origin, why })
  }
  const decide = <T extends string>(
    key: ConventionKey,
    choice: T | undefined,
    ground: Ground<T>,
  ): T => {
    const decision = choice === undefined ? ground : chosen(key, choice)
    note(key, decision)
    return decision.value
  }

  const layout = unpack(name, arrays, grounds.transposed, options.transposed)
  const { kernel, recurrentKernel, features, units } = layout
  const order = decide('gateOrder', options.gateOrder, grounds.gateOrder ?? assumed('zrn'))
  note('transposed', layout.transposed)

  const biases = unpackBiases(name, arrays, units)
  const reset = decide('reset', options.reset, grounds.reset ?? resetFromBiases(biases))
  const update = decide('update', options.update, grounds.update ?? assumed('keeps'))
  const bias = decideBias(biases, grounds.bias, options.bias)
  note('bias', bias)

  const act = decideActivation(
    'activation',
    options.activation,
    grounds.activation ?? assumedActivation('tanh'),
  )
  note('activation', act.ground)
  const recurrent = decideActivation(
    'recurrentActivation',
    options.recurrentActivation,
    grounds.recurrentActivation ?? assumedActivation('sigmoid'),
  )
  note('recurrentActivation', recurrent.ground)

  return {
    kind: 'gru',
    name,
    features,
    units,
    resetAfter: reset === 'after',
    update,
    bias: bias.value,
    activation: act.activation,
    recurrentActivation: recurrent.activation,
    direction,
    maskedOutput,
    clip,
    conventions,
    weights: {
      kernel: splitGates(kernel, order),
      recurrentKernel: splitGates(recurrentKernel, order),
      inputBias: biases.input === null ? null : splitGates(biases.input, order),
      recurrentBias: biases.recurrent === null ? null : splitGates(biases.recurrent, order),
    },
  }
}

function chosen<T extends string>(key: ConventionKey, value: T): Ground<T> {
  return { value, origin: 'chosen', why: `${conventionTable[key].flag} says so` }
}

function assumed<T extends string>(value: T): Ground<T> {
  return { value, origin: 'assumed', why: KERAS }
}

function assumedActivation(name: string): Ground<Activation> {
  return { value: activation(name), origin: 'assumed', why: KERAS }
}

function decideActivation(
  key: 'activation' | 'recurrentActivation',
  choice: string | undefined,
  ground: Ground<Activation>,
): { activation: ElementwiseActivation; ground: Ground<string> } {
  const decision =
    choice === undefined ? ground : { ...chosen(key, choice), value: activation(choice) }
  if (!isElementwise(decision.value)) {
    throw new GruvError(
      'unsupported',
      `${decision.value.kind} cannot be the ${conventionTable[key].title} of a cell`,
      {
        expected: 'an elementwise activation',
      },
    )
  }
  return {
    activation: decision.value,
    ground: { ...decision, value: showActivation(decision.value) },
  }
}

interface Layout {
  readonly kernel: Tensor
  readonly recurrentKernel: Tensor
  readonly features: number
  readonly units: number
  readonly transposed: Ground<'yes' | 'no'>
}

/** Brings both kernels to [inputs, 3·units]. The recurrent one tells the layout, whatever its size. */
function unpack(
  name: string,
  arrays: GruArrays,
  ground: Ground<'yes' | 'no'> | undefined,
  choice: boolean | undefined,
): Layout {
  const kernel = matrix(`${name}: kernel`, arrays.kernel)
  const recurrentKernel = matrix(`${name}: recurrent kernel`, arrays.recurrentKernel)
  const [rows, columns] = recurrentKernel.shape
  if (columns !== 3 * rows && rows !== 3 * columns) {
    throw new GruvError('bad-shape', 'this is not the recurrent kernel of a GRU', {
      where: `${name}: recurrent kernel`,
      expected: '[units, 3·units] or [3·units, units]',
      got: showShape(recurrentKernel.shape),
      fix: 'Is it another layer’s, or the input kernel? `--names w=…,u=…,b=…` says which array is which.',
    })
  }
  const shapeSays = rows === 3 * columns ? 'yes' : 'no'
  const transposed: Ground<'yes' | 'no'> =
    choice !== undefined
      ? chosen('transposed', choice ? 'yes' : 'no')
      : (ground ?? {
          value: shapeSays,
          origin: 'implied',
          why: `the recurrent kernel is ${showShape(recurrentKernel.shape)}`,
        })
  if (transposed.value !== shapeSays) {
    throw new GruvError(
      'bad-argument',
      `the kernels are ${shapeSays === 'no' ? 'not ' : ''}transposed`,
      {
        where: `${name}: recurrent kernel`,
        expected: transposed.value === 'yes' ? '[3·units, units]' : '[units, 3·units]',
        got: showShape(recurrentKernel.shape),
        fix:
          transposed.origin === 'chosen'
            ? 'Leave `--transposed` out; the shape tells.'
            : 'The file contradicts itself.',
      },
    )
  }
  const units = Math.min(rows, columns)
  const flip = transposed.value === 'yes'
  const packed = kernel.shape[flip ? 0 : 1]
  if (packed !== 3 * units) {
    throw new GruvError('bad-shape', `the kernel does not fit a layer of ${units} units`, {
      where: `${name}: kernel`,
      expected: flip ? `[${3 * units}, features]` : `[features, ${3 * units}]`,
      got: showShape(kernel.shape),
      fix: 'Both kernels must come from one layer.',
    })
  }
  return {
    kernel: flip ? transpose(kernel) : kernel,
    recurrentKernel: flip ? transpose(recurrentKernel) : recurrentKernel,
    features: kernel.shape[flip ? 1 : 0],
    units,
    transposed,
  }
}

interface Biases {
  readonly input: Tensor | null
  readonly recurrent: Tensor | null
  readonly evidence: string
}

function unpackBiases(name: string, { bias, recurrentBias }: GruArrays, units: number): Biases {
  const width = 3 * units
  if (bias === undefined) {
    if (recurrentBias === undefined)
      return { input: null, recurrent: null, evidence: 'there are no biases' }
    return {
      input: null,
      recurrent: vector(`${name}: recurrent bias`, recurrentBias, width),
      evidence: 'there is a recurrent bias',
    }
  }
  if (recurrentBias !== undefined) {
    return {
      input: vector(`${name}: bias`, bias, width),
      recurrent: vector(`${name}: recurrent bias`, recurrentBias, width),
      evidence: 'there are two biases',
    }
  }
  const evidence = `the biases are ${showShape(bias.shape)}`
  const size = sizeOf(bias.shape)
  const stacked = bias.shape.length === 2 && bias.shape[0] === 2 && bias.shape[1] === width
  if (stacked || (bias.shape.length === 1 && size === 2 * width)) {
    const rows = { ...bias, shape: [2, width] }
    return { input: sliceRows(rows, 0, 1, true), recurrent: sliceRows(rows, 1, 2, true), evidence }
  }
  if (size === width)
    return { input: vector(`${name}: bias`, bias, width), recurrent: null, evidence }
  throw new GruvError('bad-shape', `the biases do not fit a layer of ${units} units`, {
    where: `${name}: bias`,
    expected: `[${width}], [2, ${width}] or [${2 * width}]`,
    got: showShape(bias.shape),
  })
}

function resetFromBiases({ input, recurrent, evidence }: Biases): Ground<'after' | 'before'> {
  if (recurrent !== null) {
    return {
      value: 'after',
      origin: 'implied',
      why: `${evidence}, as Keras writes reset_after=True`,
    }
  }
  if (input !== null) {
    return {
      value: 'before',
      origin: 'implied',
      why: `${evidence}, as Keras writes reset_after=False`,
    }
  }
  return {
    value: 'after',
    origin: 'assumed',
    why: `${evidence}, which would tell; Keras since TensorFlow 2 does so`,
  }
}

function decideBias(
  { input, recurrent, evidence }: Biases,
  ground: Ground<'separate' | 'merged'> | undefined,
  choice: 'separate' | 'merged' | undefined,
): Ground<'separate' | 'merged' | 'none'> {
  if (input === null && recurrent === null)
    return { value: 'none', origin: 'implied', why: evidence }
  if (choice !== undefined) return chosen('bias', choice)
  if (ground !== undefined) return ground
  return recurrent === null
    ? { value: 'merged', origin: 'implied', why: evidence }
    : { value: 'separate', origin: 'implied', why: `${evidence}, as Keras writes them` }
}

function matrix(where: string, tensor: Tensor): Tensor {
  if (tensor.shape.length === 2 && sizeOf(tensor.shape) > 0) return tensor
  throw new GruvError('bad-shape', 'a kernel is a matrix', {
    where,
    expected: 'two axes, neither empty',
    got: showShape(tensor.shape),
  })
}

function vector(where: string, tensor: Tensor, length: number): Tensor {
  if (sizeOf(tensor.shape) === length) return { ...tensor, shape: [length] }
  throw new GruvError('bad-shape', 'this bias does not fit its kernel', {
    where,
    expected: `[${length}]`,
    got: showShape(tensor.shape),
  })
}
