/** The table of formats, the finding of the right one by content, and what is told where none is it. */

import { isPickle, isTorchZip } from '../bytes/torch-magic.ts'
import { zipNames } from '../bytes/zip-names.ts'
import { GruvError } from '../errors.ts'
import type { Model } from '../model/types.ts'
import type { Format, ReadOptions, SourceFile } from './format.ts'
import { isTorchName, topKeys } from './top-keys.ts'

/** To add a format: a reader, a line here, a fixture, a row in the documents. */
const formats: readonly Format[] = [
  {
    id: 'npz',
    title: 'NumPy archive (.npz) with the weights of a bare layer',
    recognizes: ({ bytes }) => isZip(bytes) && firstEntry(bytes).endsWith('.npy'),
    read: async (file, options) => (await import('./npz.ts')).readNpzLayer(file, options),
  },
  {
    id: 'safetensors',
    title: 'safetensors (.safetensors), gruv model, PyTorch modules or bare layer',
    takes: ['module', 'wiring'],
    // An eight-byte length, then a JSON object.
    recognizes: ({ bytes }) =>
      bytes.length > 9 && bytes[8] === BRACE && bytes[6] === 0 && bytes[7] === 0,
    read: async (file, options) =>
      (await import('./safetensors.ts')).readSafetensorsModel(file, options),
  },
  {
    id: 'keras-archive',
    title: 'Keras archive (.keras)',
    recognizes: ({ bytes }) =>
      isZip(bytes) && (/^(metadata|config)\.json$/.test(firstEntry(bytes)) || listsConfig(bytes)),
    takes: ['until'],
    read: async (file, options) =>
      (await import('./keras/archive.ts')).readKerasArchive(file, options),
  },
  {
    id: 'keras-h5',
    title: 'Keras HDF5 (.h5), a model or its weights',
    recognizes: ({ bytes }) => startsWith(bytes, [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a]),
    takes: ['layer', 'until'],
    read: async (file, options) => (await import('./keras/h5.ts')).readKerasH5(file, options),
  },
  {
    id: 'tfjs',
    title: 'TF.js layers model (model.json and its shards)',
    recognizes: ({ bytes }) =>
      bytes[firstInk(bytes)] === BRACE &&
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
    read: async (file, options) =>
      (await import('./keras/archive.ts')).readKerasConfig(file, options),
  },
  {
    id: 'saved-model',
    title: 'TensorFlow SavedModel of Keras 2 (saved_model.pb)',
    // Schema version 1, then the first graph: longer than an ONNX file's producer name.
    recognizes: ({ bytes }) => startsWith(bytes, [0x08, 0x01, 0x12]) && (bytes[3] ?? 0) > 0x7f,
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
    takes: ['layer'],
    read: async (file, options) =>
      (await import('./keras/saved-model.ts')).readCheckpointState(file, options),
  },
  {
    id: 'checkpoint',
    title: 'TensorFlow checkpoint (.index and .data)',
    // The magic number of a sorted string table stands at its end.
    recognizes: ({ bytes }) =>
      startsWith(bytes.subarray(-8), [0x57, 0xfb, 0x80, 0x8b, 0x24, 0x75, 0x47, 0xdb]),
    leads: /\.index$/,
    takes: ['layer'],
    read: async (file, options) =>
      (await import('./keras/saved-model.ts')).readCheckpoint(file, options),
  },
  {
    id: 'pytorch',
    title: 'PyTorch file (.pt, .pth): state dict, checkpoint, module or TorchScript archive',
    takes: ['module', 'wiring'],
    recognizes: ({ bytes }) => isPickle(bytes) || isTorchZip(bytes),
    read: async (file, options) => (await import('./pytorch.ts')).readPytorch(file, options),
  },
  {
    id: 'onnx',
    title: 'ONNX (.onnx)',
    // A protocol buffer that begins with the version of its format, 3 or later.
    recognizes: ({ name, bytes }) =>
      (bytes[0] === 0x08 && bytes[1] >= 3 && bytes[1] < 32 && (bytes[2] & 7) === 2) ||
      name.endsWith('.onnx'),
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
    recognizes: ({ bytes }) =>
      bytes[firstInk(bytes)] === BRACE && [...topKeys(bytes)].some(isTorchName),
    read: async (file, options) => (await import('./json.ts')).readJsonState(file, options),
  },
  {
    id: 'json',
    title: 'JSON object (.json) of arrays, the weights of a bare layer',
    recognizes: ({ bytes }) => bytes[firstInk(bytes)] === BRACE,
    read: async (file, options) => (await import('./json.ts')).readJsonLayer(file, options),
  },
]

const BRACE = 0x7b

/** Other people's files, by their first bytes: what they are, and why not. */
const strangers: readonly { readonly magic: readonly number[]; readonly is: string }[] = [
  {
    magic: [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59],
    is: 'a single NumPy array (.npy): data rather than a model',
  },
  {
    magic: [0x50, 0x4b, 0x03, 0x04],
    is: 'a zip archive without NumPy arrays, PyTorch pickle or Keras configuration',
  },
  { magic: [0x50, 0x4b, 0x05, 0x06], is: 'an empty zip archive' },
  { magic: [0x1f, 0x8b], is: 'compressed with gzip: unpack it first' },
  { magic: [0x89, 0x50, 0x4e, 0x47], is: 'a PNG picture' },
]

/**
 * Reads a model, whatever its format.
 * @throws GruvError `unsupported` when no reader recognises it, naming those there are.
 */
export async function readModel(file: SourceFile, options: ReadOptions): Promise<Model> {
  const format = formats.find(({ recognizes }) => recognizes(file))
  if (format === undefined) throw noFormat(file)
  for (const option of ['layer', 'until', 'module', 'wiring'] as const) {
    if (options[option] === undefined || format.takes?.includes(option)) continue
    throw new GruvError('bad-argument', `${option} cannot be set for this file`, {
      got: format.title,
    })
  }
  return format.read(file, options)
}

/** `unsupported`, naming the formats there are. */
function noFormat({ bytes }: SourceFile): GruvError {
  if (bytes.length === 0)
    return new GruvError('bad-file', 'the file is empty', { expected: 'a model' })
  const stranger = strangers.find(({ magic }) => startsWith(bytes, magic))
  return new GruvError('unsupported', 'this is no model that gruv can read', {
    expected: formats.map(({ title }) => title).join('; '),
    got: stranger?.is ?? `bytes that begin with ${showBytes(bytes)}`,
  })
}

/**
 * Which of several files to begin with: the one that is called as its format says, nearest to the
 * top; null where no name tells.
 */
export function leadingFile(paths: readonly string[]): string | null {
  const depth = (path: string): number => path.split('/').length
  const leads = formats.flatMap((format) =>
    paths.filter((path) => format.leads?.test(path.split('/').at(-1)!)),
  )
  const named = leads.sort((a, b) => depth(a) - depth(b))[0]
  if (named !== undefined) return named
  // TF.js downloads a model as `NAME.json` and `NAME.weights.bin`.
  const parts = paths.filter((path) => !path.endsWith('.bin'))
  const json = parts.filter((path) => path.endsWith('.json'))
  if (json.length === 1 && parts.length < paths.length) return json[0]
  return paths.length === 1 ? paths[0] : null
}

function isZip(bytes: Uint8Array): boolean {
  return startsWith(bytes, [0x50, 0x4b, 0x03, 0x04])
}

/** The name in the first local header (APPNOTE 4.3.7): length at 26, name at 30. */
function firstEntry(bytes: Uint8Array): string {
  const length = (bytes[26] ?? 0) | ((bytes[27] ?? 0) << 8)
  return String.fromCharCode(...bytes.subarray(30, 30 + Math.min(length, 256)))
}

function listsConfig(bytes: Uint8Array): boolean {
  for (const name of zipNames(bytes)) if (name === 'config.json') return true
  return false
}

function startsWith(bytes: Uint8Array, magic: readonly number[]): boolean {
  return magic.every((byte, i) => bytes[i] === byte)
}

/** The beginning as text, for formats that are text. */
function head(bytes: Uint8Array): string {
  return new TextDecoder('latin1').decode(bytes.subarray(0, 4096))
}

function hasKeys(bytes: Uint8Array, ...keys: readonly string[]): boolean {
  if (bytes[firstInk(bytes)] !== BRACE) return false
  const found = topKeys(bytes)
  return keys.every((key) => found.has(key))
}

function firstInk(bytes: Uint8Array): number {
  let at = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0
  while (at < bytes.length && (bytes[at] === 0x20 || (bytes[at] >= 9 && bytes[at] <= 13))) at++
  return at
}

function showBytes(bytes: Uint8Array): string {
  return Array.from(bytes.subarray(0, 8), (byte) => byte.toString(16).padStart(2, '0')).join(' ')
}
