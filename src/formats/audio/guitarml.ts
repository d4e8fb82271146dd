/**
 * Reads models of GuitarML and CoreAudioML (.json): a state dict of PyTorch as nested arrays, and
 * beside it a description of the network: one recurrent module `rec`, a linear one `lin`, and a
 * residual connection (`SimpleRNN`), or several such blocks (`RecNet`).
 *
 * Semantics: CoreAudioML's `networks.py`. Sequences are [time, batch, features] there.
 */

import { isCount } from '../../bytes/checks.ts'
import { tensorFromJson } from '../../bytes/json/tensors.ts'
import { parseJson } from '../../bytes/json/text.ts'
import type { TorchFile } from '../../bytes/torch/torch.ts'
import { GruvError } from '../../errors.ts'
import { implied } from '../../model/conventions/grounds.ts'
import { denseNode } from '../../model/dense.ts'
import { createModel } from '../../model/graph.ts'
import type { LayerNode, Model } from '../../model/types.ts'
import type { Named, Tensor } from '../../tensor.ts'
import { type JsonObject, object, text } from '../decode.ts'
import { baseName, type ReadOptions, refuseConventions, type SourceFile } from '../format.ts'
import { reader } from '../pytorch/index.ts'
import { recurrentNodes } from '../pytorch/layers.ts'
import { recurrentModule } from '../pytorch/recurrent.ts'
import { stateArrays } from '../pytorch/state-arrays.ts'
import { type StateModule, stateModules } from '../pytorch/state-dict.ts'
import { addResidual } from './residual.ts'

/** A recurrent module, the linear one behind it, and how many features are added to its output. */
interface Block {
  readonly name: string
  /** Before the names of its parameters. */
  readonly prefix: string
  readonly description: JsonObject
  readonly skip: (features: number, units: number) => number
}

/** @throws GruvError `bad-file`, or `unsupported` for networks of another kind. */
export async function readGuitarml(file: SourceFile, options: ReadOptions): Promise<Model> {
  refuseConventions(options, 'a state dict of PyTorch, whose conventions are PyTorch’s')
  const json = object(parseJson(new TextDecoder().decode(file.bytes)), 'the file')
  const data = object(json.model_data, 'model_data')
  if (json.state_dict === undefined) {
    throw new GruvError('bad-file', 'the file describes a network, and holds no weights', {
      where: 'state_dict',
      expected: 'the parameters of the network beside model_data',
      got: 'nothing',
      fix: 'Training writes them when it is over: take the file it has written then.',
    })
  }
  const torch = stateArrays('CoreAudioML', arraysOf(json.state_dict))
  const modules = stateModules(torch.value)
  const nodes: LayerNode[] = []
  let value = 'x'
  let features: number | null = null
  let units = 0
  for (const block of blocksOf(json, data)) {
    const made = await addBlock(nodes, block, modules, value, torch)
    features ??= made.features
    ;({ value, units } = made)
  }
  if (features === null) throw wrong('layers', 'at least one block', 'none')
  if (data.model === 'RecNet') {
    const skip = first(count(data.skip, 'model_data.skip'), features)
    value = addResidual(nodes, { from: 'x', features, to: value, units, skip })
  }
  return createModel({
    name: baseName(file.name),
    source: 'GuitarML or CoreAudioML model (.json)',
    inputs: [{ name: 'x', shape: ['time', 'batch', features], axes: timeFirst }],
    outputs: [{ name: 'y', value, axes: timeFirst }],
    nodes,
  })
}

const timeFirst = [1, 0, 2] as const

function arraysOf(value: unknown): Named<Tensor> {
  const entries = Object.entries(object(value, 'state_dict'))
  return Object.fromEntries(
    entries.map(([name, each]) => [name, tensorFromJson(each, `state_dict.${name}`)]),
  )
}

function blocksOf(json: JsonObject, data: JsonObject): readonly Block[] {
  // Files of the plug-ins do not state the kind of network: they have only one.
  const model = data.model === undefined ? 'SimpleRNN' : text(data.model, 'model_data.model')
  if (model === 'SimpleRNN') {
    const skip = count(data.skip, 'model_data.skip')
    return [{ name: '', prefix: '', description: data, skip: (features) => first(skip, features) }]
  }
  if (model === 'RecNet') {
    // Until 2021 the blocks were called layers, and added as many features as they had outputs.
    const key = json.blocks === undefined ? 'layers' : 'blocks'
    const blocks = object(json[key], key)
    return Object.keys(blocks).map((at, i) => {
      const description = object(blocks[at], `${key}.${at}`)
      const name = `block_${i + 1}`
      const said = description.skip === undefined ? 1 : count(description.skip, `${key}.${at}.skip`)
      const skip = (features: number, units: number): number =>
        said === 0 ? 0 : first(key === 'layers' ? units : said, features)
      return { name, prefix: `layers.${name}.`, description, skip }
    })
  }
  throw new GruvError('unsupported', `a network of the kind '${model.slice(0, 40)}' is not read`, {
    where: 'model_data.model',
    expected: 'SimpleRNN or RecNet',
  })
}

/** How many features `x[:, :, 0:skip]` has. */
function first(skip: number, features: number): number {
  return Math.min(skip, features)
}

interface Made {
  readonly value: string
  readonly features: number
  readonly units: number
}

async function addBlock(
  nodes: LayerNode[],
  { name, prefix, description, skip }: Block,
  modules: readonly StateModule[],
  x: string,
  torch: TorchFile,
): Promise<Made> {
  const find = (path: string): StateModule => {
    const found = modules.find((module) => module.path === `${prefix}${path}`)
    if (found !== undefined) return found
    throw wrong(
      'state_dict',
      `parameters of ${prefix}${path}`,
      modules.map((each) => each.path),
    )
  }
  const named = (part: string): string => (name === '' ? part : `${name}.${part}`)
  const recurrent = { ...recurrentModule(find('rec')), name: named('rec') }
  agree(description.unit_type ?? description.block_type, recurrent.kind)
  agree(description.hidden_size, recurrent.units)
  agree(description.input_size, recurrent.features)
  agree(description.num_layers, recurrent.layers.length)
  const read = reader(torch)
  const wanted = { sequence: true, finals: false }
  const made = await recurrentNodes(recurrent, x, wanted, { conventions: {} }, read)
  nodes.push(...made.nodes)

  const { parameters } = find('lin')
  const parameter = async (key: string): Promise<Tensor | undefined> => {
    const tensor = parameters.get(key)
    return tensor?.kind === 'tensor' ? read(tensor, `${prefix}lin.${key}`) : undefined
  }
  const kernel = await parameter('weight')
  if (kernel === undefined) throw wrong('state_dict', `${prefix}lin.weight`, 'nothing')
  const linear = denseNode(
    named('lin'),
    { kernel, bias: await parameter('bias') },
    implied({ kind: 'linear', parameters: [] }, 'CoreAudioML has none there'),
    implied('yes', 'PyTorch writes [units, features]'),
  )
  const value = `${linear.name}.y`
  nodes.push({ ...linear, inputs: { x: made.sequence! }, outputs: { y: value } })
  const { features } = recurrent
  const { units } = linear
  const sum = { from: x, features, to: value, units, skip: skip(features, units) }
  return { value: addResidual(nodes, sum, named('residual')), features, units }
}

/** The description must agree with the arrays beside it. */
function agree(said: unknown, found: string | number): void {
  if (said === undefined) return
  if (typeof said !== 'object' && `${said}`.toLowerCase() === `${found}`) return
  throw wrong('model_data', `${found}, as the arrays have it`, said)
}

function count(value: unknown, where: string): number {
  if (value === undefined || value === false) return 0
  if (value === true) return 1
  if (isCount(value)) return value
  throw wrong(where, 'a whole number from 0', value)
}

function wrong(where: string, expected: string, got: unknown): GruvError {
  return new GruvError('bad-file', 'the description does not fit the arrays', {
    where,
    expected,
    got: (typeof got === 'string' ? got : (JSON.stringify(got) ?? 'nothing')).slice(0, 100),
  })
}
