/**
 * Reads `.keras` archives, which are zips of `config.json`, `metadata.json` and `model.weights.h5`;
 * the same three files as a folder; and a configuration that `to_json` wrote, with an HDF5 file of
 * weights beside it.
 */

import { decodeText } from '../../bytes/text.ts'
import { readZip } from '../../bytes/zip/read.ts'
import { GruvError } from '../../errors.ts'
import type { Model } from '../../model/types.ts'
import { baseName, type ReadOptions, type SourceFile } from '../format.ts'
import { readOptional, readSibling } from '../siblings.ts'
import { objectH5, weightsH5 } from './h5.ts'
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

export async function readKerasConfig(file: SourceFile, options: ReadOptions): Promise<Model> {
  const config = jsonObject(decodeText(file.bytes), 'config.json')
  const listed = (await file.siblings?.list()) ?? []
  const metadata = await readOptional(file, 'metadata.json')
  const { keras_version: version } =
    metadata === null ? config : jsonObject(decodeText(metadata), 'metadata.json')
  return importKeras(
    {
      name: baseName(file.name),
      source: 'Keras configuration and weights',
      config,
      version: typeof version === 'string' ? version : null,
      weights: await weightsH5(await readSibling(file, weightsBeside(file, listed))),
    },
    options,
  )
}

/** `model.weights.h5`, or the one HDF5 file there is, or the one with the same name. */
function weightsBeside({ name }: SourceFile, listed: readonly string[]): string {
  const files = listed.filter((each) => /\.(h5|hdf5)$/i.test(each) && !each.includes('/'))
  const own = files.find((each) => each.startsWith(`${baseName(name)}.`))
  const chosen = files.find((each) => each === 'model.weights.h5') ?? own
  if (chosen !== undefined || files.length <= 1) return chosen ?? files[0] ?? 'model.weights.h5'
  throw new GruvError('not-found', 'it is not clear which file holds the weights', {
    expected: `model.weights.h5, or ${baseName(name)}.h5`,
    got: files.slice(0, 8).join(', '),
  })
}
