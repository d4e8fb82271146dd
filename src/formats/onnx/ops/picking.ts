/** Operators that pick elements by numbers that the model computes: ArgMax, GatherElements, GatherND. */

import { product } from '../../../model/shapes/dims.ts'
import type { Dim } from '../../../model/types.ts'
import type { Graph } from '../graph.ts'
import type { Op, Operators } from '../op.ts'
import { known, type Live, liveValue, type Shape, type Value } from '../values.ts'
import { binary, number, selected } from './arithmetic.ts'
import { dropAxes, transpose, unsqueeze } from './axes.ts'
import { reduced } from './linear.ts'

export const picking: Operators = {
  ArgMax: (op) => [best(op, 'max')],
  ArgMin: (op) => [best(op, 'min')],
  GatherElements: (op) => [gatherElements(op)],
  GatherND: (op) => [gatherNd(op)],
}

/** 0, 1, 2 … along an axis of a value that has so many. */
export function positions(graph: Graph, extent: Dim): Value {
  if (typeof extent === 'number') {
    graph.spend(extent)
    return known({
      shape: [extent],
      data: Float64Array.from({ length: extent }, (_, i) => i),
      dtype: 'int64',
    })
  }
  throw graph.unsupported('positions along an extent that is not fixed', { got: extent })
}
