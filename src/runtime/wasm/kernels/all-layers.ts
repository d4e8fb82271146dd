/** Lists the kernels of every kind of layer. */

import { writeConv1d } from './conv1d.ts'
import { writeActivation, writeAffine, writePrelu } from './elementwise.ts'
import { writeGruOfAnySize } from './gru-block.ts'
import { writeLayerNorm } from './layer-norm.ts'
import { coreKernels, type KernelWriters } from './layers.ts'
import { writeLstm } from './lstm.ts'
import { writeMasking } from './masking.ts'
import { writeMerge } from './merge.ts'
import { writeRnn } from './rnn.ts'

export const allKernels: KernelWriters = {
  ...coreKernels,
  gru: writeGruOfAnySize,
  lstm: writeLstm,
  rnn: writeRnn,
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
