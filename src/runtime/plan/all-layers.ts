/** Lists how every kind of layer is planned. */

import { activation } from './layers/activation.ts'
import { affine, batchNorm } from './layers/affine.ts'
import { conv1d } from './layers/conv1d.ts'
import { embedding } from './layers/embedding.ts'
import { layerNorm } from './layers/layer-norm.ts'
import { lstm } from './layers/lstm.ts'
import { masking } from './layers/masking.ts'
import { merge } from './layers/merge.ts'
import { prelu } from './layers/prelu.ts'
import { rnn } from './layers/rnn.ts'
import { corePlans, type LayerPlans } from './layers.ts'

export const allPlans: LayerPlans = {
  ...corePlans,
  lstm,
  rnn,
  activation,
  prelu,
  affine,
  batchNorm,
  layerNorm,
  embedding,
  masking,
  conv1d,
  merge,
}
