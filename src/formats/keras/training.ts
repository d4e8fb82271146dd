/** Says what a layer that is called with `training=True` does in Keras and does not do here. */

import type { LayerConfig } from './config.ts'

/** Layers that are random while a model is trained. */
const random: readonly string[] = [
  'Dropout',
  'SpatialDropout1D',
  'SpatialDropout2D',
  'GaussianNoise',
  'GaussianDropout',
  'AlphaDropout',
]

/** A sentence for each layer, those in models and wrappers too, that training would change. */
export function whileTraining(layer: LayerConfig): readonly string[] {
  const { name, className, settings, inner, backward, cells, model } = layer
  const parts = [inner, backward, ...cells].filter((each) => each !== null)
  const inside = [...parts, ...(model?.layers ?? [])].flatMap(whileTraining)
  const said = `${name}: the model was built with training=True, so that in Keras`
  if (className === 'BatchNormalization')
    return [
      `${said} this BatchNormalization uses the mean of each batch; here it uses the trained one`,
    ]
  const rates = ['dropout', 'recurrent_dropout'].map((key) => settings.get(key))
  if (random.includes(className) || rates.some((rate) => typeof rate === 'number' && rate > 0))
    return [
      ...inside,
      `${said} the dropout or noise of this ${className} is random; here it is left out`,
    ]
  return inside
}
