/** Shapes of the layers that look at one vector at a time. */

import { GruvError } from '../../errors.ts'
import { type Named, sizeOf } from '../../tensor.ts'
import type { LayerNode, MergeNode, VectorNode } from '../types.ts'
import { isCausal } from './causal.ts'
import { lastIs } from './dense.ts'
import { sum, windows } from './dims.ts'
import { fits, type LayerShapes, misfit, type Shape } from './shape.ts'

const x = { x: 'required' } as const

export const vectorShapes: LayerShapes<Exclude<VectorNode['kind'], 'dense'>> = {
  activation: { inputs: x, outputs: (_, { x }) => ({ y: x }) },
  prelu: {
    inputs: x,
    outputs: (node, { x }) => sameAs(node, x, node.weights.alpha.shape),
  },
  affine: {
    inputs: x,
    outputs: (node, { x }) => {
      const { scale, shift } = node.weights
      for (const each of [scale, shift]) if (each !== null) sameAs(node, x, each.shape)
      return { y: x }
    },
  },
  embedding: {
    inputs: x,
    outputs: (node, { x }) => ({ y: [...x, node.units], mask: x }),
  },
  masking: {
    inputs: x,
    outputs: (node, { x }) => {
      if (x.length !== 3) throw misfit(node, 'x', x, '[rows, steps, features]')
      return { y: x, mask: x.slice(0, 2) }
    },
  },
  batchNorm: {
    inputs: x,
    outputs: (node, { x }) => ({
      y: [...lastIs(node, x, sizeOf(node.weights.mean.shape)), x.at(-1)!],
    }),
  },
  layerNorm: {
    inputs: x,
    outputs: (node, { x }) => {
      const { gamma, beta } = node.weights
      const size = x.slice(x.length - node.axes).reduce<number>((a, b) => a * Number(b), 1)
      for (const each of [gamma, beta]) {
        if (each !== null && sizeOf(each.shape) !== size) {
          throw misfit(node, 'x', x, `${sizeOf(each.shape)} numbers in the last ${node.axes} axes`)
        }
      }
      return { y: x }
    },
  },
  conv1d: {
    inputs: x,
    outputs: (node, { x }) => {
      const [rows, steps] = x.length === 3 ? x : ['rows', 'steps']
      fits(node, 'x', x, [rows, steps, node.features])
      return { y: [rows, windows(steps, node), node.units] }
    },
    states: (node) =>
      isCausal(node) && node.size > 1
        ? [{ name: 'past', size: (node.size - 1) * node.dilation * node.features }]
        : [],
  },
  merge: { inputs: null, outputs: mergeOutputs },
}

/** One number for each feature, or one for all. */
function sameAs(node: LayerNode, x: Shape, parameters: readonly number[]): Named<Shape> {
  const size = sizeOf(parameters)
  if (size !== 1) lastIs(node, x, size)
  return { y: x }
}

function mergeOutputs(node: MergeNode, inputs: Named<Shape>): Named<Shape> {
  const shapes = Object.entries(inputs)
  const two = node.mode === 'subtract' || node.mode === 'divide'
  if (shapes.length === 0 || (two && shapes.length !== 2)) {
    throw new GruvError('bad-model', two ? 'this takes two inputs' : 'nothing is merged', {
      where: node.name,
      expected: two ? 'two inputs' : 'at least one input',
      got: `${shapes.length}`,
    })
  }
  const [, first] = shapes[0]
  const leading = first.slice(0, -1)
  for (const [port, shape] of shapes) {
    fits(node, port, shape, node.mode === 'concatenate' ? [...leading, shape.at(-1)!] : first)
  }
  return {
    y:
      node.mode === 'concatenate'
        ? [...leading, sum(shapes.map(([, shape]) => shape.at(-1)!))]
        : first,
  }
}
