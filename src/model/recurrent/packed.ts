/**
 * Brings the packed arrays of a recurrent layer to one layout and checks them against each other.
 * A layer of `gates` gates has kernels of gates·units columns; with one gate the recurrent kernel
 * is square.
 */

import { GruvError } from '../../errors.ts'
import { showShape, sizeOf, type Tensor } from '../../tensor.ts'
import type { Activation } from '../activation/activations.ts'
import { sliceRows, transpose } from '../axes.ts'
import type { ConventionOptions } from '../conventions/conventions.ts'
import { assumed, chosen, type Ground } from '../conventions/grounds.ts'
import type { RecurrentNode } from '../types.ts'

/** A recurrent layer's arrays as sources hold them; width is gates·units. */
export interface PackedArrays {
  /** [features, width], or [width, features] when transposed. */
  readonly kernel: Tensor
  /** [units, width], or [width, units] when transposed. */
  readonly recurrentKernel: Tensor
  /** [width]; or [2, width] or [2·width], the input bias before the recurrent one. */
  readonly bias?: Tensor | undefined
  /** [width]; `bias` is then the input bias alone. */
  readonly recurrentBias?: Tensor | undefined
}

/** What a reader knows of any recurrent layer. */
export interface CellGrounds {
  /** Shapes tell it, unless the decisive kernel is square. */
  readonly transposed?: Ground<'yes' | 'no'>
  readonly activation?: Ground<Activation>
}

/** Behaviour of a recurrent layer that is no matter of convention. */
export type RecurrentBehaviour = Partial<Pick<RecurrentNode, 'direction' | 'maskedOutput' | 'clip'>>

interface CellType {
  /** As in "the recurrent kernel of …". */
  readonly title: string
  readonly gates: number
}

export interface Layout {
  /** [features, width] */
  readonly kernel: Tensor
  /** [units, width] */
  readonly recurrentKernel: Tensor
  readonly features: number
  readonly units: number
  readonly transposed: Ground<'yes' | 'no'>
}

/**
 * Brings both kernels to [inputs, width]. The recurrent kernel tells the layout; where it is
 * square, the input kernel does, unless that is square too.
 */
export function unpackKernels(
  name: string,
  cell: CellType,
  arrays: PackedArrays,
  { transposed: ground }: CellGrounds,
  { transposed: choice }: ConventionOptions,
): Layout {
  const { gates } = cell
  const kernel = matrix(`${name}: kernel`, arrays.kernel)
  const recurrentKernel = matrix(`${name}: recurrent kernel`, arrays.recurrentKernel)
  const [rows, columns] = recurrentKernel.shape
  const width = gates === 1 ? 'units' : `${gates}·units`
  if (columns !== gates * rows && rows !== gates * columns) {
    throw new GruvError('bad-shape', `this is not the recurrent kernel of ${cell.title}`, {
      where: `${name}: recurrent kernel`,
      expected: gates === 1 ? '[units, units]' : `[units, ${width}] or [${width}, units]`,
      got: showShape(recurrentKernel.shape),
      fix: 'Is it another layer’s, or the input kernel? `--names w=…,u=…,b=…` says which array is which.',
    })
  }
  const units = Math.min(rows, columns)
  const decisiveName = gates === 1 ? 'kernel' : 'recurrent kernel'
  const decisive = gates === 1 ? kernel : recurrentKernel
  const shapeSays = layoutOf(decisive, gates * units)
  const transposed: Ground<'yes' | 'no'> =
    choice !== undefined
      ? chosen('transposed', choice ? 'yes' : 'no')
      : (ground ??
        (shapeSays === null
          ? assumed('no')
          : {
              value: shapeSays,
              origin: 'implied',
              why: `the ${decisiveName} is ${showShape(decisive.shape)}`,
            }))
  const flip = transposed.value === 'yes'
  if (shapeSays !== null && transposed.value !== shapeSays) {
    const inputs = gates === 1 ? 'features' : 'units'
    throw new GruvError('bad-argument', `the kernels are ${flip ? 'not ' : ''}transposed`, {
      where: `${name}: ${decisiveName}`,
      expected: flip ? `[${width}, ${inputs}]` : `[${inputs}, ${width}]`,
      got: showShape(decisive.shape),
      fix:
        transposed.origin === 'chosen'
          ? 'Leave `--transposed` out; the shape tells.'
          : 'The file contradicts itself.',
    })
  }
  if (kernel.shape[flip ? 0 : 1] !== gates * units) {
    throw new GruvError('bad-shape', `the kernel does not fit a layer of ${units} units`, {
      where: `${name}: kernel`,
      expected: flip ? `[${gates * units}, features]` : `[features, ${gates * units}]`,
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

/** Whether [inputs, width] or [width, inputs]; null where both or neither fit. */
function layoutOf({ shape: [rows, columns] }: Tensor, width: number): 'yes' | 'no' | null {
  if ((rows === width) === (columns === width)) return null
  return rows === width ? 'yes' : 'no'
}

export interface Biases {
  /** [width] */
  readonly input: Tensor | null
  /** [width] */
  readonly recurrent: Tensor | null
  /** The biases found, in words: `the biases are [2, 18]`. */
  readonly evidence: string
}

/** @param width gates·units. */
export function unpackBiases(
  name: string,
  { bias, recurrentBias }: Pick<PackedArrays, 'bias' | 'recurrentBias'>,
  units: number,
  width: number,
): Biases {
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

function matrix(where: string, tensor: Tensor): Tensor {
  if (tensor.shape.length === 2 && sizeOf(tensor.shape) > 0) return tensor
  throw new GruvError('bad-shape', 'a kernel is a matrix', {
    where,
    expected: 'two axes, neither empty',
    got: showShape(tensor.shape),
  })
}

/** The tensor's numbers as [length]; they may have any axes. */
export function vector(where: string, tensor: Tensor, length: number): Tensor {
  if (sizeOf(tensor.shape) === length) return { ...tensor, shape: [length] }
  throw new GruvError('bad-shape', 'this array does not fit its kernel', {
    where,
    expected: `[${length}]`,
    got: showShape(tensor.shape),
  })
}
