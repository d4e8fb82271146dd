/**
 * Parses the configurations that all versions of Keras write into one form: layers, how each is
 * called, inputs and outputs. Sources: `get_config` and `from_config` of Sequential, Model and
 * Functional in Keras 1.2 to 3.
 */

import { GruvError } from '../../errors.ts'
import { array, object, text } from '../decode.ts'
import { type Argument, type Call, calls, type Reference, references } from './calls.ts'
import { checkDepth, jsonValue, Settings } from './settings.ts'

export interface LayerConfig {
  readonly name: string
  /** As Keras 3 calls it. */
  readonly className: string
  /** Where the class comes from, if it is not one of Keras's own. */
  readonly custom: string | null
  readonly settings: Settings
  readonly calls: readonly Call[]
  /** The layers of a model that is a layer. */
  readonly model: NetConfig | null
  /** The layer that a wrapper wraps, and its second one (Bidirectional's `backward_layer`). */
  readonly inner: LayerConfig | null
  readonly backward: LayerConfig | null
  /** The cells of an RNN. */
  readonly cells: readonly LayerConfig[]
  /** The models that a Merge of Keras 1 begins a Sequential with. */
  readonly branches: readonly LayerConfig[]
  /** Whether it is an operation rather than a layer; some share their names. */
  readonly operation: Stated
}

/**
 * HDF5 and TF.js files of Keras 3 write no modules, so that an operation is told by what it lacks
 * (`likely`) or, in files that lack that everywhere, by its form (`possible`).
 */
export type Stated = boolean | 'likely' | 'possible'

export interface NetConfig {
  readonly name: string
  readonly kind: 'Sequential' | 'Functional'
  readonly layers: readonly LayerConfig[]
  readonly inputs: readonly Reference[]
  readonly outputs: readonly Reference[]
}

/** Names that changed. */
const renamed: Readonly<Record<string, string>> = {
  Model: 'Functional',
  Convolution1D: 'Conv1D',
  Convolution2D: 'Conv2D',
  AtrousConvolution1D: 'Conv1D',
  MaxPool1D: 'MaxPooling1D',
  AvgPool1D: 'AveragePooling1D',
  GlobalMaxPool1D: 'GlobalMaxPooling1D',
  GlobalAvgPool1D: 'GlobalAveragePooling1D',
  TimeDistributedDense: 'Dense',
  BatchNormalizationV1: 'BatchNormalization',
  BatchNormalizationV2: 'BatchNormalization',
  SyncBatchNormalization: 'BatchNormalization',
  GRUV2: 'GRU',
  LSTMV2: 'LSTM',
  GRUV1: 'GRU',
  LSTMV1: 'LSTM',
  Highway1D: 'Highway',
}

/** Layers of TensorFlow 2 that are functions of it, by their names and arguments. */
const tensorflowLayers: readonly string[] = ['TFOpLambda', 'SlicingOpLambda', 'TensorFlowOpLayer']

function presentName(className: string): string {
  return Object.hasOwn(renamed, className) ? renamed[className] : className
}

const models: readonly string[] = ['Sequential', 'Functional']

/** @throws GruvError `bad-file` or `unsupported`, saying where. */
export function parseNetwork(json: unknown): NetConfig {
  const {
    class_name: raw,
    config,
    registered_name: registered,
    build_config: built,
  } = object(jsonValue(json), 'model_config')
  const className = presentName(text(raw, 'model_config.class_name'))
  // The configuration of a subclass of Model without a graph of its own has no layers.
  const body = Array.isArray(config)
    ? { name: 'sequential', layers: config }
    : object(config ?? {}, 'model_config.config')
  if (!models.includes(className) && !(Array.isArray(body.layers) && 'output_layers' in body)) {
    throw new GruvError(
      'unsupported',
      `the model is of the class ${className}, whose code is not in the file`,
      {
        where: 'model_config',
        expected: 'a Sequential or Functional model',
        got: typeof registered === 'string' ? registered : className,
        fix: 'Rebuild it in Keras as a functional model from its layers, and save that.',
      },
    )
  }
  const build = built === undefined ? {} : { build_config: built }
  return network(
    className === 'Sequential' ? 'Sequential' : 'Functional',
    { ...build, ...body },
    'model_config',
    0,
  )
}

function network(
  kind: NetConfig['kind'],
  body: Readonly<Record<string, unknown>>,
  where: string,
  depth: number,
): NetConfig {
  checkDepth(depth, where)
  const name = typeof body.name === 'string' ? body.name : 'model'
  const raw = array(body.layers, `${where}.layers`)
  if (kind === 'Sequential') return sequential(name, raw, body, where, depth)
  const layers = raw.map((each, i) => layer(each, `${where}.layers[${i}]`, depth, i))
  const known = new Set(layers.map((each) => each.name))
  if (known.size < layers.length) {
    throw new GruvError('bad-file', 'two layers of the model have the same name', { where })
  }
  const written = layers.some(({ settings }) => settings.has('trainable'))
  const called = layers.map((each, i) => {
    const { inbound_nodes: nodes, module } = raw[i] as Record<string, unknown>
    const called = { ...each, calls: calls(nodes, known, `${where}: ${each.name}`) }
    if (typeof module === 'string' || each.operation === true) return called
    return { ...called, operation: statedBy(called, nodes, written) }
  })
  const inputs = references(body.input_layers, known, `${where}.input_layers`)
  const outputs = references(body.output_layers, known, `${where}.output_layers`)
  if (outputs.length === 0) throw new GruvError('bad-file', 'the model has no outputs', { where })
  return { name, kind: 'Functional', layers: called, inputs, outputs }
}

/**
 * What an entry without a module says: an operation has none of what every layer of Keras 3 writes,
 * or has constants among its arguments.
 * @param written whether the other entries of the file have what every layer writes.
 */
function statedBy({ calls, settings }: LayerConfig, nodes: unknown, written: boolean): Stated {
  if (calls.some(({ args }) => args.some(holdsConstant))) return 'likely'
  if (settings.has('trainable') || !Array.isArray(nodes) || nodes.some(Array.isArray)) return false
  return written ? 'likely' : 'possible'
}

function holdsConstant(argument: Argument): boolean {
  return 'constant' in argument || ('list' in argument && argument.list.some(holdsConstant))
}

/** A chain is a graph: each layer is called once, with what the one before it gave. */
function sequential(
  name: string,
  raw: readonly unknown[],
  body: Readonly<Record<string, unknown>>,
  where: string,
  depth: number,
): NetConfig {
  const parsed = raw.map((each, i) => layer(each, `${where}.layers[${i}]`, depth, i))
  if (parsed.length === 0) throw new GruvError('bad-file', 'the model has no layers', { where })
  // Keras up to 1.2 let layers of a Sequential share a name.
  const seen = new Set<string>()
  for (const each of parsed) {
    if (seen.has(each.name)) {
      throw new GruvError('bad-file', `two layers of the model are called '${each.name}'`, {
        where,
      })
    }
    seen.add(each.name)
  }
  const first = parsed[0]
  if (first.branches.length > 0) return branched(name, parsed, where)
  const layers = [...parsed]
  if (first.className !== 'InputLayer') {
    const shape =
      inputShape(first) ?? shapeOf(body.build_input_shape) ?? buildShape(body) ?? buildShape(raw[0])
    layers.unshift(inputLayer(`${first.name}_input`, shape, where))
  }
  const chained = chain(layers, [])
  return {
    name,
    kind: 'Sequential',
    layers: chained,
    inputs: [only(chained[0])],
    outputs: [only(chained.at(-1)!)],
  }
}

/** The first and only tensor of a layer that is called once. */
function only({ name }: LayerConfig): Reference {
  return { layer: name, call: 0, tensor: 0 }
}

/** Layers one after the other; `first` are the calls of the first one. */
function chain(layers: readonly LayerConfig[], first: readonly Call[]): readonly LayerConfig[] {
  return layers.map((each, i) => ({
    ...each,
    calls: i === 0 ? first : [{ args: [{ reference: only(layers[i - 1]) }], kwargs: {} }],
  }))
}

/** Keras 1: a Sequential whose first layer is a Merge of others, each with inputs of its own. */
function branched(name: string, parsed: readonly LayerConfig[], where: string): NetConfig {
  const inputs: LayerConfig[] = []
  const branches = parsed[0].branches.map((branch): LayerConfig => {
    const model = branch.model ?? null
    const own = (model?.inputs ?? [null]).map((input, i) => {
      const layer =
        input === null ? branch : model!.layers.find((each) => each.name === input.layer)
      const shape = layer && inputShape(layer)
      return inputLayer(`${branch.name}_input${i === 0 ? '' : i + 1}`, shape, where)
    })
    for (const each of own) inputs.push(each)
    const args: Argument[] = own.map((each) => ({ reference: only(each) }))
    return { ...branch, calls: [{ args: args.length === 1 ? args : [{ list: args }], kwargs: {} }] }
  })
  const list = branches.map((each) => ({ reference: only(each) }))
  const rest = chain(parsed, [{ args: [{ list }], kwargs: {} }])
  const layers = [...inputs, ...branches, ...rest]
  if (new Set(layers.map((each) => each.name)).size < layers.length)
    throw new GruvError('bad-file', 'two layers of the model have the same name', { where })
  return {
    name,
    kind: 'Sequential',
    layers,
    inputs: inputs.map(only),
    outputs: [only(rest.at(-1)!)],
  }
}

function inputLayer(
  name: string,
  shape: readonly unknown[] | undefined,
  where: string,
): LayerConfig {
  return {
    name,
    className: 'InputLayer',
    custom: null,
    settings: new Settings({ name, ...(shape && { batch_shape: shape }) }, `${where}: ${name}`),
    calls: [],
    model: null,
    inner: null,
    backward: null,
    cells: [],
    branches: [],
    operation: false,
  }
}

/** `build_config`, which Keras 3 writes beside the configuration of a layer. */
function buildShape(entry: unknown): readonly unknown[] | undefined {
  const { build_config: built } = entry as { build_config?: { input_shape?: unknown } | null }
  return typeof built === 'object' ? shapeOf(built?.input_shape) : undefined
}

/**
 * The input shape that a layer states; a model as the first layer states it by its own first layer.
 */
function inputShape({ settings, model }: LayerConfig): readonly unknown[] | undefined {
  if (model !== null) {
    const first = model.layers.find((each) => each.name === model.inputs[0]?.layer)
    return first && inputShape(first)
  }
  return shapeOf(settings.get('batch_input_shape', 'batch_shape'))
}

function shapeOf(value: unknown): readonly unknown[] | undefined {
  return Array.isArray(value) && (value.length === 0 || !Array.isArray(value[0]))
    ? value
    : undefined
}

function layer(json: unknown, where: string, depth: number, index: number): LayerConfig {
  checkDepth(depth, where)
  const entry = object(json, where)
  const given = text(entry.class_name, `${where}.class_name`)
  const className = presentName(given)
  const body = Array.isArray(entry.config)
    ? { name: entry.name ?? `${given.toLowerCase()}_${index + 1}`, layers: entry.config }
    : object(entry.config ?? {}, `${where}.config`)
  const named = body.name ?? entry.name
  const name = typeof named === 'string' ? named : `${className.toLowerCase()}_${index + 1}`
  const module = typeof entry.module === 'string' ? entry.module : null
  const registered = typeof entry.registered_name === 'string' ? entry.registered_name : null
  // Keras registers its own classes under no name or the bare one, others as `package>name`.
  const custom = registered?.includes('>')
    ? registered
    : module !== null && !/^(tf_|tf\.)?keras(_core)?\b|^tensorflow\b|^builtins$/.test(module)
      ? `${module}.${given}`
      : null
  const nested =
    models.includes(className) || (Array.isArray(body.layers) && 'output_layers' in body)
  const wrapped = (key: string): LayerConfig | null =>
    body[key] === undefined || body[key] === null
      ? null
      : layer(body[key], `${where}.${key}`, depth + 1, 0)
  return {
    // Functional models write the name beside the configuration, and references use that one.
    name: typeof entry.name === 'string' ? entry.name : name,
    className,
    custom,
    settings: new Settings(
      nested || className === 'Merge' ? { ...body, layers: undefined } : body,
      `${where} '${name}'`,
    ),
    calls: [],
    model: nested
      ? network(
          className === 'Sequential' ? 'Sequential' : 'Functional',
          body,
          `${where} '${name}'`,
          depth + 1,
        )
      : null,
    inner: wrapped('layer'),
    backward: wrapped('backward_layer'),
    cells: cellsOf(body, where, depth),
    branches:
      className === 'Merge' && Array.isArray(body.layers)
        ? body.layers.map((each, i) => layer(each, `${where}.layers[${i}]`, depth + 1, i))
        : [],
    operation: (module !== null && /\bops\b/.test(module)) || tensorflowLayers.includes(className),
  }
}

function cellsOf(
  body: Readonly<Record<string, unknown>>,
  where: string,
  depth: number,
): readonly LayerConfig[] {
  if (Array.isArray(body.cells))
    return body.cells.map((cell, i) => layer(cell, `${where}.cells[${i}]`, depth + 1, i))
  if (body.cell === undefined || body.cell === null) return []
  const cell = layer(body.cell, `${where}.cell`, depth + 1, 0)
  return cell.className === 'StackedRNNCells' ? cell.cells : [cell]
}
