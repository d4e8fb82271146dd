/** ∂y/∂x through layers on whole tensors, against central differences of the reference. */

import { describe, expect, it } from 'vitest'
import { activation } from '../../src/model/activation/activations.ts'
import { createModel, valueShapes } from '../../src/model/graph.ts'
import type { LayerNode, Model } from '../../src/model/index.ts'
import { sizeOf, type Tensor } from '../../src/tensor.ts'
import { inputJacobian } from '../../src/trace/index.ts'
import { expectDifferences } from '../support/differences.ts'
import { random, randomTensor } from '../support/random.ts'

const [rows, steps, features] = [2, 6, 3]
const next = random(21)
/** Away from kinks: no two numbers are equal, none is near 0 or a whole number. */
const x: Tensor = {
  shape: [rows, steps, features],
  data: Float64Array.from({ length: rows * steps * features }, () => {
    const size = 0.1 + 0.8 * next()
    return next() < 0.5 ? -size : size
  }),
}

/**
 * A node without a name: its inputs by port and its attributes. The output port is `y` by default.
 */
type Layer = Pick<LayerNode, 'kind'> & { readonly [key: string]: unknown }

/** Values are called a, b, c … in the order of the layers, after x; the last one is the output. */
function model(layers: readonly Layer[], port = 'y'): Model {
  const nodes = layers.map((layer, i): LayerNode => {
    const name = 'abcdefgh'[i]
    return {
      inputs: { x: i === 0 ? 'x' : 'abcdefgh'[i - 1] },
      outputs: { [i === layers.length - 1 ? port : 'y']: name },
      conventions: [],
      ...layer,
      name,
    } as unknown as LayerNode
  })
  const inputs = [{ name: 'x', shape: ['batch', steps, features] as const }]
  const last = 'abcdefgh'[layers.length - 1]
  const [, ...extents] = valueShapes(inputs, nodes).get(last)! as number[]
  const flat = {
    kind: 'reshape',
    name: 'flat',
    inputs: { x: last },
    outputs: { y: 'flat' },
    conventions: [],
    shape: ['batch', sizeOf(extents)],
  } as const
  const outputs = [{ name: 'y', value: 'flat' }]
  return createModel({ name: 'one', source: 'test', inputs, outputs, nodes: [...nodes, flat] })
}

const unary = (op: string): Layer => ({ kind: 'unary', op })
const positive = unary('exp')
const constant = (value: Tensor): Layer => ({ kind: 'constant', inputs: {}, weights: { value } })
const slices = (axis: number, start: number | null, end: number | null, step = 1) => [
  { axis, start, end, step },
]
const pads = (...each: readonly (readonly [number, number])[]) =>
  each.map(([before, after]) => ({ before, after }))

const moving: readonly (readonly [string, readonly Layer[]])[] = [
  ['slice', [{ kind: 'slice', slices: slices(1, -2, 0, -2) }]],
  [
    'expand',
    [
      { kind: 'slice', slices: slices(2, 0, 1) },
      { kind: 'expand', shape: ['batch', steps, 4] },
    ],
  ],
  [
    'concat',
    [unary('sin'), { kind: 'concat', axis: 1, inputs: { first: 'a', second: 'x', third: 'a' } }],
  ],
  ['pad', [{ kind: 'pad', mode: 'constant', value: 2, pads: pads([0, 0], [2, -1], [0, 1]) }]],
  ['pad, edge', [{ kind: 'pad', mode: 'edge', value: 0, pads: pads([0, 0], [2, 1], [0, 2]) }]],
  [
    'pad, reflect',
    [{ kind: 'pad', mode: 'reflect', value: 0, pads: pads([0, 0], [2, 1], [1, 1]) }],
  ],
  [
    'gather',
    [
      constant({ shape: [4], data: Float64Array.of(5, 0, -2, 5) }),
      { kind: 'gather', axis: 1, inputs: { x: 'x', indices: 'a' } },
    ],
  ],
  [
    'where',
    [
      unary('sin'),
      { kind: 'binary', op: 'greater', inputs: { a: 'x', b: 'a' } },
      { kind: 'where', inputs: { condition: 'b', a: 'x', b: 'a' } },
    ],
  ],
]

const binaries = [
  'add',
  'subtract',
  'multiply',
  'divide',
  'power',
  'maximum',
  'minimum',
  'greater',
  'and',
] as const
const unaries = [
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
  'sign',
  'not',
] as const
const reductions = [
  'sum',
  'mean',
  'max',
  'min',
  'product',
  'l1',
  'l2',
  'sumSquare',
  'logSumExp',
] as const

describe('layers that move numbers', () => {
  it.each(moving)('%s', (_, layers) => {
    for (const row of [0, 1]) expectDifferences(x, model(layers), row)
  })
})

describe('element by element', () => {
  it.each(binaries)('%s, broadcast over steps and over features', (op) => {
    const layers: readonly Layer[] = [
      positive,
      { kind: 'slice', slices: slices(1, 2, 3), inputs: { x: 'a' } },
      { kind: 'binary', op, inputs: { a: 'a', b: 'b' } },
      { kind: 'slice', slices: slices(2, 1, 2), inputs: { x: 'a' } },
      { kind: 'binary', op, inputs: { a: 'd', b: 'c' } },
    ]
    expectDifferences(x, model(layers), 1)
  })

  it('modulo, by either side', () => {
    const number = (value: number) => constant({ shape: [], data: Float64Array.of(value) })
    const inputs = { a: 'x', b: 'a' }
    expectDifferences(x, model([number(0.37), { kind: 'binary', op: 'modulo', inputs }]), 0)
    const turned = { a: 'a', b: 'x' }
    expectDifferences(x, model([number(2.9), { kind: 'binary', op: 'modulo', inputs: turned }]), 0)
  })

  it.each(unaries)('%s', (op) => {
    const signed = ['abs', 'negative', 'reciprocal', 'sin', 'cos', 'erf', 'sign', 'floor', 'not']
    expectDifferences(x, model(signed.includes(op) ? [unary(op)] : [positive, unary(op)]), 0)
  })
})

describe('reductions', () => {
  it.each(reductions)('%s', (op) => {
    for (const [axes, keepAxes] of [
      [[1], false],
      [[2], true],
      [[1, 2], true],
    ] as const)
      expectDifferences(x, model([{ kind: 'reduce', op, axes, keepAxes }]), 1)
  })

  it.each([1, 2])('the product of numbers of which %i are 0', (zeros) => {
    const data = x.data.slice()
    data.fill(0, 0, zeros * features)
    const layer = { kind: 'reduce', op: 'product', axes: [1], keepAxes: false } as const
    const jacobian = expectDifferences({ shape: x.shape, data }, model([layer]), 0)
    expect(jacobian.data.some((each) => each !== 0)).toBe(zeros === 1)
  })

  it.each([false, true])('softmax along steps, its logarithm: %s', (log) => {
    expectDifferences(x, model([{ kind: 'softmax', axis: 1, log }]), 1)
  })
})

const turned: Layer = { kind: 'transpose', axes: [0, 2, 1] }
const square: Layer = { kind: 'reshape', shape: ['batch', 3, 3, 2] }
const some = { strides: [2, 1], dilations: [1, 2], padding: pads([1, 0], [1, 1]) }
const windows: readonly (readonly [string, Layer])[] = [
  [
    'conv',
    {
      kind: 'conv',
      ...some,
      groups: 1,
      activation: activation('tanh'),
      weights: { kernel: randomTensor(2, [2, 2, 2, 4]), bias: randomTensor(3, [4]) },
    },
  ],
  [
    'conv, same, in groups, softmax',
    {
      kind: 'conv',
      strides: [1, 2],
      dilations: [1, 1],
      padding: 'same',
      groups: 2,
      activation: activation('softmax'),
      weights: { kernel: randomTensor(2, [3, 2, 1, 4]), bias: null },
    },
  ],
  [
    'convTranspose',
    {
      kind: 'convTranspose',
      strides: [2, 1],
      dilations: [1, 2],
      padding: pads([1, 0], [0, 1]),
      outputPadding: [1, 0],
      groups: 1,
      activation: activation('sigmoid'),
      weights: { kernel: randomTensor(2, [2, 2, 4, 2]), bias: randomTensor(3, [4]) },
    },
  ],
  [
    'convTranspose, same, in groups',
    {
      kind: 'convTranspose',
      strides: [2, 2],
      dilations: [1, 1],
      padding: 'same',
      outputPadding: [0, 0],
      groups: 2,
      activation: activation('linear'),
      weights: { kernel: randomTensor(2, [3, 3, 2, 2]), bias: null },
    },
  ],
  ...(['max', 'average'] as const).flatMap((op) =>
    ([true, false] as const).map(
      (countsPadding) =>
        [
          `pool, ${op}, padding counts: ${countsPadding}`,
          {
            kind: 'pool',
            op,
            sizes: [2, 3],
            strides: [2, 1],
            padding: pads([0, 1], [1, 1]),
            countsPadding,
          },
        ] as const,
    ),
  ),
]

describe('windows', () => {
  it.each(windows)('%s', (_, layer) => {
    for (const row of [0, 1]) expectDifferences(x, model([square, layer]), row)
  })
})

describe('products', () => {
  it.each<readonly [string, readonly Layer[]]>([
    [
      'by a matrix of the model',
      [constant(randomTensor(2, [features, 4])), { kind: 'matmul', inputs: { a: 'x', b: 'a' } }],
    ],
    ['by itself', [turned, { kind: 'matmul', inputs: { a: 'a', b: 'x' } }]],
    [
      'broadcast over other axes',
      [
        { kind: 'reshape', shape: ['batch', 1, steps, features] },
        constant(randomTensor(2, [5, 2, steps])),
        { kind: 'matmul', inputs: { a: 'b', b: 'a' } },
      ],
    ],
    [
      'a vector on the right',
      [constant(randomTensor(2, [features])), { kind: 'matmul', inputs: { a: 'x', b: 'a' } }],
    ],
  ])('%s', (_, layers) => {
    expectDifferences(x, model(layers), 1)
  })
})

/** Every third step is masked. */
const mask = constant({
  shape: [1, steps],
  data: Float64Array.from({ length: steps }, (_, t) => Number(t % 3 > 0)),
})
const none = { scale: null, concatWeight: null }
const scale = (shape: readonly number[]) => randomTensor(5, shape)

describe('attention', () => {
  const cases: readonly (readonly [string, Layer])[] = [
    ['dot', { kind: 'attention', score: 'dot', causal: false, weights: none }],
    [
      'dot, scaled, causal',
      { kind: 'attention', score: 'dot', causal: true, weights: { ...none, scale: scale([]) } },
    ],
    [
      'additive',
      {
        kind: 'attention',
        score: 'additive',
        causal: false,
        weights: { ...none, scale: scale([features]) },
      },
    ],
    [
      'concat',
      {
        kind: 'attention',
        score: 'dot',
        causal: false,
        weights: { scale: scale([]), concatWeight: randomTensor(6, []) },
      },
    ],
  ]
  it.each(cases)('%s: with masks and without, outputs and weights', (_, layer) => {
    const ports = { query: 'a', value: 'x' }
    const masks = { queryMask: 'b', valueMask: 'b' }
    for (const inputs of [ports, { ...ports, ...masks }, { ...ports, key: 'a', ...masks }]) {
      const layers = [unary('sin'), mask, { ...layer, inputs }]
      expectDifferences(x, model(layers), 1)
      expectDifferences(x, model(layers, 'scores'), 0, { units: [0, 7, 35] })
    }
  })

  const sizes = { heads: 2, keySize: 2, valueSize: 4 }
  const weights = {
    queryKernel: randomTensor(1, [features, 2, 2]),
    keyKernel: randomTensor(2, [features, 2, 2]),
    valueKernel: randomTensor(3, [features, 2, 4]),
    outputKernel: randomTensor(4, [2, 4, 5]),
    queryBias: randomTensor(5, [2, 2]),
    keyBias: null,
    valueBias: randomTensor(6, [2, 4]),
    outputBias: randomTensor(7, [5]),
  }
  it.each([true, false])('of several heads, causal: %s', (causal) => {
    const ports = { query: 'x', value: 'a' }
    const masks = { queryMask: 'b', valueMask: 'b' }
    for (const inputs of [ports, { ...ports, ...masks }, { ...ports, key: 'x' }]) {
      const layer: Layer = { kind: 'multiHeadAttention', ...sizes, causal, weights, inputs }
      const layers = [unary('sin'), mask, layer]
      expectDifferences(x, model(layers), 1)
      expectDifferences(x, model(layers, 'scores'), 0, { units: [0, 7, 71] })
    }
  })
})

describe('what nothing depends on', () => {
  it('comparisons and steps have the derivative 0, and it is found', () => {
    const { jacobian } = inputJacobian(model([unary('round')]), x)
    expect(jacobian.data.every((each) => each === 0)).toBe(true)
  })
})
