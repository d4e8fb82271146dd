/** Plans a merge: several values into one, element by element or side by side. */

import type { MergeNode } from '../../../model/types.ts'
import type { MergeKernel } from '../kernels.ts'
import { type LayerPlan, roleIn } from '../types.ts'
import { overVectors } from './vectors.ts'

export const merge: LayerPlan<MergeNode, MergeKernel> = {
  place: (node, shape) => {
    const placements = Object.values(node.inputs).map((value) => overVectors(shape(value)))
    return placements.every((each) => each !== null) ? placements[0] : null
  },

  obstacle: () => null,

  plan(node, placement, builder) {
    const role = roleIn(placement)
    const inputs = Object.keys(node.inputs).map((port) => builder.input(port, role))
    const y = builder.output('y', role)
    const widths = inputs.map((value) => builder.width(value))
    const width = node.mode === 'concatenate' ? widths.reduce((a, b) => a + b, 0) : widths[0]
    return {
      kind: 'merge',
      node: node.name,
      mode: node.mode,
      inputs,
      y: y < 0 ? builder.local('y', width, role) : y,
      widths,
      overTime: role === 'step',
    }
  },
}
