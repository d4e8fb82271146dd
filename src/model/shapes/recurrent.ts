/** Shapes of the layers that carry a state. */

import type { Named } from '../../tensor.ts'
import type { RecurrentNode } from '../types.ts'
import { fits, type LayerShapes, type Shape, type StateSlot } from './shape.ts'

const ports = {
  x: 'required',
  initialState: 'optional',
  mask: 'optional',
  lengths: 'optional',
} as const

export const recurrentShapes: LayerShapes<'gru' | 'lstm' | 'rnn'> = {
  gru: {
    inputs: ports,
    outputs: sequenceAndStates,
    states: (node) => [{ name: 'h', size: node.units }, ...seen(node)],
  },
  lstm: {
    inputs: { ...ports, initialCell: 'optional' },
    outputs: (node, inputs) => {
      const leaving = sequenceAndStates(node, inputs)
      return { ...leaving, cell: leaving.state }
    },
    states: (node) => [
      { name: 'h', size: node.units },
      { name: 'c', size: node.units },
      ...seen(node),
    ],
  },
  rnn: {
    inputs: ports,
    outputs: sequenceAndStates,
    states: (node) => [{ name: 'h', size: node.units }, ...seen(node)],
  },
}

/** Under a mask, outputs depend on whether any step has counted so far. */
function seen({ inputs }: RecurrentNode): readonly StateSlot[] {
  return inputs.mask === undefined ? [] : [{ name: 'seen', size: 1 }]
}

function sequenceAndStates(node: RecurrentNode, inputs: Named<Shape>): Named<Shape> {
  const { x, initialState, initialCell, mask, lengths } = inputs
  const [rows, steps] = x.length === 3 ? x : ['rows', 'steps']
  fits(node, 'x', x, [rows, steps, node.features])
  if (initialState !== undefined) fits(node, 'initialState', initialState, [rows, node.units])
  if (initialCell !== undefined) fits(node, 'initialCell', initialCell, [rows, node.units])
  if (mask !== undefined) fits(node, 'mask', mask, [rows, steps])
  if (lengths !== undefined) fits(node, 'lengths', lengths, [rows])
  const state = [rows, node.units]
  return { sequence: [rows, steps, node.units], last: state, state }
}
