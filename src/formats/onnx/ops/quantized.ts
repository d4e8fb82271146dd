/** Operator DequantizeLinear on numbers of the file: weights that are stored as integers. */

import { mapKnown } from '../known.ts'
import type { Op, Operators } from '../op.ts'
import type { Known, Value } from '../values.ts'

export const quantized: Operators = {
  DequantizeLinear: (op) => [dequantized(op)],
}

/** (x − zero)·scale, with one scale and zero for all, or one for each position along an axis. */
function dequantized(op: Op): Value {
  const { graph } = op
  const [x, scale, zero] = [op.input(0), op.input(1), op.inputs[2]]
  if (
    x.kind !== 'known' ||
    scale.kind !== 'known' ||
    (zero !== undefined && zero.kind !== 'known')
  ) {
    throw graph.unsupported('quantised models are not read', {
      got: 'a DequantizeLinear of numbers that depend on the inputs',
      fix: 'Give the model from before it was quantised.',
    })
  }
  if (op.int('block_size', 0) !== 0) throw graph.unsupported('DequantizeLinear in blocks')
  const rank = x.shape.length
  const along = (value: Known): Known => {
    if (value.tensor.data.length === 1 || value.shape.length !== 1) return value
    const ones = Array.from({ length: rank - 1 - op.axis(op.int('axis', 1), rank) }, () => 1)
    const { tensor } = value
    return {
      kind: 'known',
      shape: [...value.shape, ...ones],
      tensor: { ...tensor, shape: [...tensor.shape, ...ones] },
    }
  }
  const values = [x, along(scale), ...(zero === undefined ? [] : [along(zero)])]
  const result = mapKnown(
    values,
    (q, by, from = 0) => Math.fround((q - from) * by),
    'float32',
    graph.spend,
  )
  if (result === null) throw graph.misfit('these values do not go together', ...values)
  graph.warnings.add(
    'weights are stored as integers with a scale (DequantizeLinear), so they were rounded when the model was quantised',
  )
  return result
}
