/** Loads a Model from bytes without waiting: `load`, with the parts that most models need. */

import { showBytes } from '../bytes/byte-arrays.ts'
import { readSafetensors } from '../bytes/safetensors.ts'
import { inflateSync } from '../bytes/zip/inflate.ts'
import { readZipSync, type ZipParts } from '../bytes/zip/read.ts'
import { checkUnpacked } from '../bytes/zip/unpacked.ts'
import { GruvError } from '../errors.ts'
import { bareLayer } from '../formats/bare-layer.ts'
import { checkTaken, coreFormats, recognized } from '../formats/core.ts'
import { baseName, type ReadOptions, type SourceFile } from '../formats/format.ts'
import { byNames } from '../formats/given-names.ts'
import { coreKinds } from '../formats/gruv/core-nodes.ts'
import type { NodeReaders } from '../formats/gruv/node-format.ts'
import type { GraphDescription, GraphTools } from '../formats/gruv/read-graph.ts'
import { recurrentReaders } from '../formats/gruv/recurrent-nodes.ts'
import { withScale } from '../formats/gruv/storage.ts'
import { npzLayer } from '../formats/npz.ts'
import { isStateDict } from '../formats/recognize/state-dict.ts'
import { BARE, describedGraph, gruvModel } from '../formats/safetensors.ts'
import { checkLimits } from '../limits.ts'
import { checkModel } from '../load/limited.ts'
import { type LoadOptions, ofFile, setOptions } from '../load/options.ts'
import { coreSignatures } from '../model/shapes/core.ts'
import { checkPorts } from '../model/shapes/ports.ts'
import type { Model } from '../model/types.ts'
import { findOddities, warned } from '../model/warnings/index.ts'
import { describeOddities } from '../model/warnings/messages.ts'
import { notHere } from './not-here.ts'

export type LoadSyncOptions = Pick<LoadOptions, 'conventions' | 'limits' | 'names' | 'name'>

/** Another way than this entry, for the end of a message. */
const ELSEWHERE = 'Load it with `load` of the entry `gruv`'

/**
 * Reads a trained model from bytes: safetensors or npz, of GRU, LSTM, RNN and Dense layers. The
 * model is the one that `load` of `gruv` gives.
 * @throws GruvError as `load`; `unsupported` for other formats, layers and options, naming `gruv`.
 */
export function loadSync(source: Uint8Array | ArrayBuffer, options: LoadSyncOptions = {}): Model {
  const { name = 'model', verify, ...said }: LoadOptions = options
  try {
    if (verify) throw notHere('the check of reference data', 'verify', `${ELSEWHERE}.`)
    const readOptions = setOptions(said)
    const { limits } = readOptions
    if (limits) checkLimits(limits)
    const file = { name, bytes: bytesOf(source) }
    const model = read(file, readOptions)
    if (limits) checkModel(model, limits)
    const oddities = findOddities(model)
    return warned(model, oddities === null ? [] : describeOddities(oddities))
  } catch (error) {
    throw ofFile(name, error)
  }
}

const zipParts: ZipParts = { inflateSync, checkUnpacked }

const formats = coreFormats(
  (file: SourceFile, options: ReadOptions): Model =>
    npzLayer(file, readZipSync(file.bytes, zipParts, options.limits), options, findIn(options)),
  (file, options) => {
    const { metadata, tensors } = readSafetensors(file.bytes)
    const graph = describedGraph(metadata, options)
    if (graph !== null) return gruvModel(file, graph, tensors, toolsFor(graph))
    if (!isStateDict(tensors, options))
      return bareLayer(baseName(file.name), BARE, tensors, options, findIn(options))
    throw notHere('the reader of PyTorch modules', 'a state dict', `${ELSEWHERE}.`)
  },
)

const findIn = ({ names }: ReadOptions) => names && byNames(names)

function read(file: SourceFile, options: ReadOptions): Model {
  const format = recognized(formats, file)
  if (format === undefined) {
    throw notHere('a reader of this file', showBytes(file.bytes), `${ELSEWHERE}.`)
  }
  checkTaken(format, options)
  return format.read(file, options)
}

const readers: Partial<NodeReaders> = { ...coreKinds.readers, ...recurrentReaders }

/** The core's signatures know all of these layers. */
const tools: GraphTools = { readers, signatures: { ...coreSignatures, checkPorts }, withScale }

function toolsFor({ nodes }: GraphDescription): GraphTools {
  const other = nodes.find(({ kind }) => typeof kind === 'string' && !Object.hasOwn(readers, kind))
  if (other === undefined) return tools
  throw notHere(
    'this kind of layer',
    String(other.kind),
    `${ELSEWHERE}, which has all kinds of layers.`,
  )
}

function bytesOf(source: unknown): Uint8Array {
  if (source instanceof Uint8Array) return source
  if (source instanceof ArrayBuffer) return new Uint8Array(source)
  throw new GruvError('bad-argument', 'gruv/core loads bytes alone', {
    expected: 'a Uint8Array or an ArrayBuffer',
    got: typeof source,
    fix: `${ELSEWHERE}: it takes paths, URLs, Blobs and Responses.`,
  })
}
