/** The kernels in WebAssembly, by kind. */

import { writeConv1d } from './kernels/conv1d.ts'
import { writeDense } from './kernels/dense.ts'
import { writeActivation, writeAffine, writePrelu } from './kernels/elementwise.ts'
import { gruCell, writeAnyGru } from './kernels/gru-any.ts'
import { writeLayerNorm } from './kernels/layer-norm.ts'
import { lstmCell } from './kernels/lstm.ts'
import { writeMasking } from './kernels/masking.ts'
import { writeMerge } from './kernels/merge.ts'
import { rnnCell } from './kernels/rnn.ts'
import { withCell } from './kernels/row-cell.ts'
import type { Writers } from './writing.ts'

export const writers: Writers = {
  gru: withCell(gruCell, writeAnyGru),
  lstm: withCell(lstmCell),
  rnn: withCell(rnnCell),
  dense: writeDense,
  activation: writeActivation,
  prelu: writePrelu,
  affine: writeAffine,
  batchNorm: writeAffine,
  layerNorm: writeLayerNorm,
  masking: writeMasking,
  conv1d: writeConv1d,
  merge: writeMerge,
  embedding: 'the table stays outside the memory',
}
