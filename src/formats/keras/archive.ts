/** `.keras` archives: a zip of `config.json`, `metadata.json` and `model.weights.h5`. */

import { decodeText } from '../../bytes/text.ts'
import { readZip } from '../../bytes/zip.ts'
import { GruvError } from '../../errors.ts'
import type { Model } from '../../model/types.ts'
import { baseName, type ReadOptions, type SourceFile } from '../format.ts'
import { objectH5 } from './h5.ts'
import { importKeras } from './import.ts'
import { jsonObject } from './settings.ts'

export async function readKerasArchive(file: SourceFile, options: ReadOptions): Promise<Model> {
  const entries = await readZip(file.bytes)
  const entry = async (name: string): Promise<Uint8Array> => {
    const found = entries.get(name)
    if (found !== undefined) return found.read()
    throw new GruvError('bad-file', `the archive has no '${name}'`, {
      got: [...entries.keys()].slice(0, 8).join(', '),
      ...(name === 'model.weights.h5' &&
        entries.has('model.weights.json') && {
          fix: 'Its weights are divided into several files: save it again without `max_shard_size`.',
        }),
    })
  }
  const json = async (name: string): Promise<Record<string, unknown>> =>
    jsonObject(decodeText(await entry(name)), name)
  const config = await json('config.json')
  const version = entries.has('metadata.json') ? (await json('metadata.json')).keras_version : null
  return importKeras(
    {
      name: baseName(file.name),
      source: 'Keras archive (.keras)',
      config,
      version: typeof version === 'string' ? version : null,
      weights: await objectH5(await entry('model.weights.h5')),
    },
    options,
  )
}
