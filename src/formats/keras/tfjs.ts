/**
 * Reads TF.js layers models: `model.json` and the shards that its `weightsManifest` names.
 * Sources: tfjs-core `io/types.ts` and `io/io_utils.ts` (decodeWeights), tfjs-layers `models.ts`.
 */

import { joinBytes } from '../../bytes/byte-arrays.ts'
import { isCounts } from '../../bytes/checks.ts'
import { type BinaryType, bytesPer, decodeNumbers } from '../../bytes/numbers/storage.ts'
import { quote } from '../../bytes/show.ts'
import { decodeText } from '../../bytes/text.ts'
import { GruvError } from '../../errors.ts'
import type { Model } from '../../model/types.ts'
import { sizeOf, type Tensor } from '../../tensor.ts'
import { array, type JsonObject, object, oneOf, text } from '../decode.ts'
import { baseName, type ReadOptions, type SourceFile } from '../format.ts'
import { readSibling, siblingPath } from '../siblings.ts'
import { flatWeights } from './claims.ts'
import type { NetConfig } from './config.ts'
import { importKeras } from './import.ts'
import { jsonObject } from './settings.ts'
import { allSlots, type NamedTensor, type WeightSource } from './weights.ts'

const dtypes = [
  'float32',
  'int32',
  'bool',
  'uint8',
  'uint16',
  'float16',
  'string',
  'complex64',
] as const
const quantized = ['uint8', 'uint16', 'float16'] as const

export async function readTfjsModel(file: SourceFile, options: ReadOptions): Promise<Model> {
  const json = jsonObject(decodeText(file.bytes), 'model.json')
  if (json.format === 'graph-model') {
    throw new GruvError(
      'unsupported',
      'a TF.js graph model holds operations of TensorFlow instead of layers',
      {
        expected: 'a layers model',
        fix: 'Convert the Keras model again with `--output_format=tfjs_layers_model`, or load its .h5 or .keras file.',
      },
    )
  }
  const topology = object(json.modelTopology ?? {}, 'modelTopology')
  // Python's converter wraps the configuration; TF.js itself writes it as it is.
  const config = topology.model_config ?? topology
  if (typeof config !== 'object' || config === null || !('class_name' in config)) {
    throw new GruvError('unsupported', 'this model.json holds no layers', {
      where: 'modelTopology',
      expected: "'model_config', or a class name and a configuration",
    })
  }
  if (json.weightsManifest === undefined) {
    throw new GruvError('not-found', 'this model.json names no weights', {
      expected: "'weightsManifest'",
    })
  }
  const tensors: NamedTensor[] = []
  const kinds = new Set<string>()
  const read = new Set<string>()
  for (const [i, group] of array(json.weightsManifest, 'weightsManifest').entries()) {
    tensors.push(
      ...(await readGroup(file, object(group, `weightsManifest[${i}]`), i, { kinds, read })),
    )
  }
  const version = topology.keras_version
  const size = tensors.reduce((sum, { tensor }) => sum + tensor.data.length, 0)
  return importKeras(
    {
      bytes: file.bytes.length + size,
      name: baseName(file.name),
      source: 'TF.js layers model',
      config,
      // Models that TF.js itself writes follow the rules of Keras 2.2, of which it is a copy.
      version: typeof version !== 'string' ? null : /^\d/.test(version) ? version : '2.2',
      weights: (net) => weightsOf(net, tensors, kinds),
    },
    options,
  )
}

async function readGroup(
  file: SourceFile,
  group: JsonObject,
  index: number,
  { kinds, read }: { readonly kinds: Set<string>; readonly read: Set<string> },
): Promise<readonly NamedTensor[]> {
  const where = `weightsManifest[${index}]`
  const paths = array(group.paths, `${where}.paths`).map((path, i) =>
    siblingPath(file, text(path, `${where}.paths[${i}]`)),
  )
  const shards: Uint8Array[] = []
  for (const path of paths) {
    if (read.has(path)) {
      throw new GruvError('bad-file', 'the manifest lists a shard twice', {
        where: `${where}.paths`,
        got: quote(path),
      })
    }
    read.add(path)
    shards.push(await readSibling(file, path))
  }
  const bytes = joinBytes(shards)
  let at = 0
  const tensors = array(group.weights, `${where}.weights`).map((each, i): NamedTensor => {
    const entry = object(each, `${where}.weights[${i}]`)
    const name = text(entry.name, `${where}.weights[${i}].name`)
    const shape = array(entry.shape, `${name}: shape`)
    if (!isCounts(shape)) {
      throw new GruvError('bad-file', 'this is no shape', {
        where: name,
        got: JSON.stringify(shape).slice(0, 60),
      })
    }
    const { dtype, decode } = storageOf(entry, name, kinds)
    const size = sizeOf(shape) * bytesPer(dtype)
    if (!(at + size <= bytes.length)) {
      throw new GruvError('bad-file', 'the shards end before this array does', {
        where: name,
        expected: `${at + size} bytes in ${paths.join(', ')}`,
        got: `${bytes.length}`,
      })
    }
    const tensor = decode(decodeNumbers(bytes.subarray(at, at + size), dtype))
    at += size
    return { name: name.replace(/:\d+$/, ''), tensor: { shape, ...tensor } }
  })
  if (at !== bytes.length) {
    throw new GruvError('bad-file', 'the shards hold more than the manifest names', {
      where: paths.join(', '),
      expected: `${at} bytes`,
      got: `${bytes.length}`,
    })
  }
  return tensors
}

type Decoded = Pick<Tensor, 'data' | 'dtype'>

/** Quantised arrays: q·scale + min, rounded to float32 as TF.js does. */
function storageOf(
  entry: JsonObject,
  name: string,
  kinds: Set<string>,
): { readonly dtype: BinaryType; readonly decode: (data: Tensor['data']) => Decoded } {
  const stated = oneOf(entry.dtype, dtypes, `${name}: dtype`)
  if (entry.quantization === undefined || entry.quantization === null) {
    if (stated === 'string' || stated === 'complex64') {
      throw new GruvError('unsupported', `an array of ${stated}`, { where: name })
    }
    return { dtype: stated, decode: (data) => ({ data, dtype: stated }) }
  }
  const quantization = object(entry.quantization, `${name}: quantization`)
  const dtype = oneOf(quantization.dtype, quantized, `${name}: quantization.dtype`)
  if (dtype === 'float16') return { dtype, decode: (data) => ({ data, dtype }) }
  kinds.add(dtype)
  const { scale, min } = quantization
  if (typeof scale !== 'number' || typeof min !== 'number') {
    throw new GruvError('bad-file', 'a quantised array has a scale and a minimum', { where: name })
  }
  const decode = (data: Tensor['data']): Decoded =>
    stated === 'int32'
      ? { data: Float64Array.from(data, (q) => Math.round(q * scale + min)), dtype: 'int32' }
      : { data: Float32Array.from(data, (q) => q * scale + min) }
  return { dtype, decode }
}

function weightsOf(
  net: NetConfig,
  tensors: readonly NamedTensor[],
  kinds: ReadonlySet<string>,
): WeightSource {
  const arrays = tensors.map(({ name, tensor }) => ({
    name,
    shape: tensor.shape,
    read: () => tensor,
  }))
  return {
    find: flatWeights(net, allSlots(net), arrays),
    warnings: [...kinds].map(
      (kind) =>
        `weights are quantised to ${kind}: they are those of the file, not those that were trained`,
    ),
  }
}
