/** The table of formats that models are converted to, by the ending of a file's name. */

import { GruvError } from '../errors.ts'
import { writeSafetensorsModel } from '../formats/gruv/write.ts'
import type { Target } from './target.ts'

/** To add one: a writer, a line here, a row in docs/convert.md. */
const targets: readonly Target[] = [
  {
    title: 'gruv model (.safetensors)',
    ending: '.safetensors',
    keepsAxes: true,
    write: async (model, storage) => ({ bytes: writeSafetensorsModel(model, storage), notes: [] }),
  },
  {
    title: 'NumPy archive (.npz)',
    ending: '.npz',
    keepsAxes: false,
    write: async (model) => (await import('./npz.ts')).writeNpzLayer(model),
  },
  {
    title: 'ONNX (.onnx)',
    ending: '.onnx',
    keepsAxes: true,
    write: async (model) => (await import('./onnx/index.ts')).writeOnnx(model),
  },
  {
    title: 'Keras archive (.keras)',
    ending: '.keras',
    keepsAxes: false,
    write: async (model) => (await import('./keras/index.ts')).writeKeras(model),
  },
  {
    title: 'Keras weights (.weights.h5)',
    ending: '.weights.h5',
    keepsAxes: false,
    write: async (model) => (await import('./keras/index.ts')).writeKerasWeights(model),
  },
  {
    title: 'RTNeural model (.json)',
    ending: '.json',
    keepsAxes: false,
    write: async (model) => (await import('./rtneural.ts')).writeRtneural(model),
  },
]

export const targetEndings: readonly string[] = targets.map(({ ending }) => ending)

/** @throws GruvError `bad-argument` for an unknown ending. */
export function targetOf(name: string): Target {
  const found = targets.find(({ ending }) => name.toLowerCase().endsWith(ending))
  if (found !== undefined) return found
  throw new GruvError('bad-argument', 'the ending of the name says no format that is written', {
    where: name,
    expected: targetEndings.join(', '),
  })
}
