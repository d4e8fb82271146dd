/**
 * Lists what the description of a node holds, for every kind that stores its arrays as they are:
 * its attributes as fields, and its arrays by name. Those with packed arrays are read in
 * `core-nodes.ts` and `all-nodes.ts`, and written in `write-nodes.ts`.
 */

import type { LayerKind, NodeOf } from '../../model/types.ts'
import {
  activationField,
  choice,
  count,
  dim,
  type Field,
  type Fields,
  flag,
  index,
  list,
  margin,
  number,
  orNull,
  record,
  whole,
  wordOr,
} from './fields.ts'

export type DescribedKind = Exclude<LayerKind, 'gru' | 'lstm' | 'rnn' | 'dense'>

type Wiring = 'kind' | 'name' | 'inputs' | 'outputs' | 'conventions' | 'weights'

type Attributes<K extends DescribedKind> = Omit<NodeOf<K>, Wiring>

type Arrays<N> = N extends { readonly weights: infer W }
  ? { readonly [P in keyof W]: null extends W[P] ? 'optional' : 'required' }
  : Readonly<Record<never, never>>

export interface Description<K extends DescribedKind> {
  readonly fields: Fields<Attributes<K>>
  readonly arrays: Arrays<NodeOf<K>>
}

const padding = wordOr('same', list(margin(index)))
const integer = whole(Number.MIN_SAFE_INTEGER)
const place = orNull(integer)
/** What all convolutions over several axes have. */
const convolution = {
  strides: list(count),
  dilations: list(count),
  padding,
  groups: count,
  activation: activationField,
}

export const descriptions: { readonly [K in DescribedKind]: Description<K> } = {
  activation: { fields: { activation: activationField }, arrays: {} },
  prelu: { fields: {}, arrays: { alpha: 'required' } },
  affine: { fields: {}, arrays: { scale: 'optional', shift: 'optional' } },
  embedding: { fields: { units: count }, arrays: { table: 'required' } },
  masking: { fields: { value: number }, arrays: {} },
  batchNorm: {
    fields: { epsilon: number },
    arrays: { gamma: 'optional', beta: 'optional', mean: 'required', variance: 'required' },
  },
  layerNorm: {
    fields: { epsilon: number, axes: count },
    arrays: { gamma: 'optional', beta: 'optional' },
  },
  conv1d: {
    fields: {
      features: count,
      units: count,
      size: count,
      stride: count,
      dilation: count,
      groups: count,
      padding: wordOr('same', margin(index)),
      activation: activationField,
    },
    arrays: { kernel: 'required', bias: 'optional' },
  },
  merge: {
    fields: {
      mode: choice(
        'concatenate',
        'add',
        'subtract',
        'multiply',
        'divide',
        'average',
        'maximum',
        'minimum',
      ),
    },
    arrays: {},
  },
  reverse: { fields: {}, arrays: {} },
  reshape: { fields: { shape: list(dim(-1)) }, arrays: {} },
  transpose: { fields: { axes: list(index) }, arrays: {} },
  expand: { fields: { shape: list(dim(1)) }, arrays: {} },
  slice: {
    fields: {
      slices: list(record({ axis: index, start: place, end: place, step: integer })),
    },
    arrays: {},
  },
  concat: { fields: { axis: index }, arrays: {} },
  pad: {
    fields: {
      mode: choice('constant', 'reflect', 'edge'),
      value: number,
      pads: list(margin(integer)),
    },
    arrays: {},
  },
  gather: { fields: { axis: index }, arrays: {} },
  constant: { fields: {}, arrays: { value: 'required' } },
  range: { fields: { count: dim(1) }, arrays: {} },
  binary: {
    fields: {
      op: choice(
        'add',
        'subtract',
        'multiply',
        'divide',
        'power',
        'maximum',
        'minimum',
        'modulo',
        'greater',
        'greaterOrEqual',
        'less',
        'lessOrEqual',
        'equal',
        'and',
        'or',
        'xor',
      ),
    },
    arrays: {},
  },
  unary: {
    fields: {
      op: choice(
        'abs',
        'negative',
        'reciprocal',
        'sqrt',
        'exp',
        'log',
        'sin',
        'cos',
        'erf',
        'floor',
        'ceil',
        'round',
        'sign',
        'not',
      ),
    },
    arrays: {},
  },
  where: { fields: {}, arrays: {} },
  reduce: {
    fields: {
      op: choice('sum', 'mean', 'max', 'min', 'product', 'l1', 'l2', 'sumSquare', 'logSumExp'),
      axes: list(index),
      keepAxes: flag,
    },
    arrays: {},
  },
  matmul: { fields: {}, arrays: {} },
  softmax: { fields: { axis: index, log: flag }, arrays: {} },
  conv: { fields: convolution, arrays: { kernel: 'required', bias: 'optional' } },
  convTranspose: {
    fields: {
      strides: list(count),
      dilations: list(count),
      padding,
      outputPadding: list(index),
      groups: count,
      activation: activationField,
    },
    arrays: { kernel: 'required', bias: 'optional' },
  },
  pool: {
    fields: {
      op: choice('max', 'average'),
      sizes: list(count),
      strides: list(count),
      padding,
      countsPadding: flag,
    },
    arrays: {},
  },
  attention: {
    fields: { score: choice('dot', 'additive'), causal: flag },
    arrays: { scale: 'optional', concatWeight: 'optional' },
  },
  multiHeadAttention: {
    fields: { heads: count, keySize: count, valueSize: count, causal: flag },
    arrays: {
      queryKernel: 'required',
      keyKernel: 'required',
      valueKernel: 'required',
      outputKernel: 'required',
      queryBias: 'optional',
      keyBias: 'optional',
      valueBias: 'optional',
      outputBias: 'optional',
    },
  },
}

/** Something for each kind with a description; the caller restores the types, which are lost here. */
export function forDescribed<T>(make: (kind: DescribedKind) => T): Readonly<Record<string, T>> {
  const kinds = Object.keys(descriptions) as DescribedKind[]
  return Object.fromEntries(kinds.map((kind) => [kind, make(kind)]))
}

/** The attributes of a kind: what a field reads is what it writes. */
export function fieldsOf(kind: DescribedKind): readonly (readonly [string, Field<unknown>])[] {
  return Object.entries(descriptions[kind].fields as Readonly<Record<string, Field<unknown>>>)
}
