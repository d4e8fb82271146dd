/** Lists the formats besides the core ones, and says which file of several to begin with. */

import { hasBytes } from '../bytes/byte-arrays.ts'
import { zipNames } from '../bytes/zip/directory.ts'
import { isZip } from '../bytes/zip/records.ts'
import { type Format, firstEntry } from './format.ts'
import { fetchHdf5 } from './keras/fetch-hdf5.ts'
import { isTorchName } from './recognize/state-dict.ts'
import { topKeys } from './recognize/top-keys.ts'

/** To add a format: a reader, a line here, a fixture, a row in the documents. */
export const others: readonly Format[] = [
  {
    id: 'keras-archive',
    title: 'Keras archive (.keras)',
    recognizes: ({ bytes }) =>
      isZip(bytes) &&
      (/^(metadata|config)\.json$/.test(firstEntry(bytes)) ||
        namesInZip(bytes).includes('config.json')),
    takes: ['until'],
    read: async (file, options) => (await fetchHdf5()).readKerasArchive(file, options),
  },
  {
    id: 'keras-h5',
    title: 'Keras HDF5 (.h5), a model or its weights',
    recognizes: ({ bytes }) => hasBytes(bytes, [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a]),
    takes: ['layer', 'until', 'wiring'],
    read: async (file, options) => (await fetchHdf5()).readKerasH5(file, options),
  },
  {
    id: 'tfjs',
    title: 'TF.js layers model (model.json and its shards)',
    recognizes: ({ bytes }) =>
      isJsonObject(bytes) &&
      (/"(modelTopology|weightsManifest)"/.test(head(bytes)) ||
        hasKeys(bytes, 'modelTopology', 'weightsManifest')),
    leads: /^model\.json$/,
    takes: ['until'],
    read: async (file, options) => (await import('./keras/tfjs.ts')).readTfjsModel(file, options),
  },
  {
    id: 'keras-json',
    title: 'Keras configuration (config.json, or what `to_json` wrote) beside its weights',
    recognizes: ({ bytes }) => hasKeys(bytes, 'class_name', 'config'),
    leads: /^(config|model)\.json$/,
    takes: ['until'],
    read: async (file, options) => (await fetchHdf5()).readKerasConfig(file, options),
  },
  {
    id: 'saved-model',
    title: 'TensorFlow SavedModel of Keras 2 (saved_model.pb)',
    // Schema version 1, then the first graph: longer than an ONNX file's producer name.
    recognizes: ({ bytes }) => hasBytes(bytes, [0x08, 0x01, 0x12]) && (bytes[3] ?? 0) > 0x7f,
    leads: /^saved_model\.pb$/,
    takes: ['until'],
    read: async (file, options) =>
      (await import('./keras/saved-model.ts')).readSavedModel(file, options),
  },
  {
    id: 'checkpoint-state',
    title: 'TensorFlow checkpoint (checkpoint)',
    recognizes: ({ bytes }) => /^\s*model_checkpoint_path:/.test(head(bytes)),
    leads: /^checkpoint$/,
    takes: ['layer', 'wiring'],
    read: async (file, options) =>
      (await import('./keras/saved-model.ts')).readCheckpointState(file, options),
  },
  {
    id: 'checkpoint',
    title: 'TensorFlow checkpoint (.index and .data)',
    // The magic number of a sorted string table stands at its end.
    recognizes: ({ bytes }) =>
      hasBytes(bytes.subarray(-8), [0x57, 0xfb, 0x80, 0x8b, 0x24, 0x75, 0x47, 0xdb]),
    leads: /\.index$/,
    takes: ['layer', 'wiring'],
    read: async (file, options) =>
      (await import('./keras/saved-model.ts')).readCheckpoint(file, options),
  },
  {
    id: 'pytorch',
    title: 'PyTorch file (.pt, .pth): state dict, checkpoint, module or TorchScript archive',
    takes: ['module', 'wiring'],
    // The byte 0x80 and a known protocol, with which all pickles but the oldest begin.
    recognizes: ({ bytes }) =>
      (bytes[0] === 0x80 && bytes[1] >= 2 && bytes[1] <= 5) ||
      namesInZip(bytes).some((name) => name.split('/').at(-1) === 'data.pkl'),
    read: async (file, options) => (await import('./pytorch/index.ts')).readPytorch(file, options),
  },
  {
    id: 'onnx',
    title: 'ONNX (.onnx)',
    // A protocol buffer that begins with the version of its format, 3 or later.
    recognizes: ({ name, bytes }) =>
      (bytes[0] === 0x08 && bytes[1] >= 3 && bytes[1] < 32 && (bytes[2] & 7) === 2) ||
      name.endsWith('.onnx'),
    takes: ['until', 'set'],
    read: async (file, options) => (await import('./onnx/index.ts')).readOnnxModel(file, options),
  },
  {
    id: 'rnnoise',
    title: 'RNNoise text model (.rnnn)',
    recognizes: ({ bytes }) => head(bytes).startsWith('rnnoise-nu model file'),
    read: async (file, options) => (await import('./audio/rnnoise.ts')).readRnnoise(file, options),
  },
  {
    id: 'rtneural',
    title: 'RTNeural model (.json)',
    recognizes: ({ bytes }) => hasKeys(bytes, 'in_shape', 'layers'),
    read: async (file, options) =>
      (await import('./audio/rtneural.ts')).readRtneural(file, options),
  },
  {
    id: 'guitarml',
    title: 'GuitarML or CoreAudioML model (.json)',
    recognizes: ({ bytes }) => hasKeys(bytes, 'model_data'),
    read: async (file, options) =>
      (await import('./audio/guitarml.ts')).readGuitarml(file, options),
  },
  {
    id: 'state-dict-json',
    title: 'JSON object (.json) with the state dict of a PyTorch model',
    takes: ['module', 'wiring'],
    recognizes: ({ bytes }) => isJsonObject(bytes) && [...topKeys(bytes)].some(isTorchName),
    read: async (file, options) => (await import('./json.ts')).readJsonState(file, options),
  },
  {
    id: 'json',
    title: 'JSON object (.json) of arrays, the weights of a bare layer',
    recognizes: ({ bytes }) => isJsonObject(bytes),
    read: async (file, options) => (await import('./json.ts')).readJsonLayer(file, options),
  },
]

const BRACE = 0x7b

/** Files that hold weights, whatever lies beside them. */
const weightFiles = /\.(h5|hdf5|keras|onnx|pt|pth|safetensors|npz)$/i

/**
 * Which of several files to begin with: the one that is called as its format says, nearest to the
 * top, if it is of that format; else the only file of weights; null where no name tells.
 * @param read gives the bytes of one of them; asked only where a file of weights lies beside.
 */
export async function leadingFile(
  paths: readonly string[],
  read: (path: string) => Promise<Uint8Array>,
): Promise<string | null> {
  const depth = (path: string): number => path.split('/').length
  const leads = others
    .flatMap((format) =>
      paths
        .filter((path) => format.leads?.test(path.split('/').at(-1)!))
        .map((path) => ({ format, path })),
    )
    .sort((a, b) => depth(a.path) - depth(b.path))
  const weights = paths.filter((path) => weightFiles.test(path))
  for (const { format, path } of leads) {
    // A program of one's own may keep its settings in a config.json.
    if (weights.length === 0 || format.recognizes({ name: path, bytes: await read(path) }))
      return path
  }
  if (leads.length > 0) return weights.length === 1 ? weights[0] : leads[0].path
  // TF.js downloads a model as `NAME.json` and `NAME.weights.bin`.
  const parts = paths.filter((path) => !path.endsWith('.bin'))
  const json = parts.filter((path) => path.endsWith('.json'))
  if (json.length === 1 && parts.length < paths.length) return json[0]
  return paths.length === 1 ? paths[0] : null
}

/** The names of an archive's entries; none for another file. */
function namesInZip(bytes: Uint8Array): readonly string[] {
  return isZip(bytes) ? zipNames(bytes) : []
}

/** The beginning as text, for formats that are text. */
function head(bytes: Uint8Array): string {
  return new TextDecoder('latin1').decode(bytes.subarray(0, 4096))
}

function isJsonObject(bytes: Uint8Array): boolean {
  return bytes[firstInk(bytes)] === BRACE
}

function hasKeys(bytes: Uint8Array, ...keys: readonly string[]): boolean {
  if (!isJsonObject(bytes)) return false
  const found = topKeys(bytes)
  return keys.every((key) => found.has(key))
}

function firstInk(bytes: Uint8Array): number {
  let at = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0
  while (at < bytes.length && (bytes[at] === 0x20 || (bytes[at] >= 9 && bytes[at] <= 13))) at++
  return at
}
