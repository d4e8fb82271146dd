/** Builds the nodes of a Keras network: every call of every layer that the outputs need. */

import { GruvError, isGruvError } from '../../errors.ts'
import type { Budget } from '../../limits.ts'
import type { ConventionOptions } from '../../model/conventions/conventions.ts'
import type { Dim, Port } from '../../model/types.ts'
import type { Named, Tensor } from '../../tensor.ts'
import type { Argument, Call, Reference } from './calls.ts'
import type { LayerConfig, NetConfig } from './config.ts'
import { GraphBuilder, type Result, type Value } from './graph.ts'
import { constantIn, type Given, isValue, type LayerCall, under, valuesIn } from './layer.ts'
import { layerEntry, reasonAgainst } from './layers/index.ts'
import { dtypePolicy, type Refusal } from './refusals.ts'
import type { KerasVersion } from './settings.ts'
import { whileTraining } from './training.ts'
import { type LayerPath, slotsOf, type WeightSource } from './weights.ts'

/** Shared by all attempts at one model. */
export interface Source {
  readonly version: KerasVersion
  readonly weights: WeightSource
  readonly conventions: ConventionOptions
  /** For each attempt, a new one. */
  readonly budget: () => Budget
}

/** The calls that lead to these tensors, each after those it needs. */
export function neededCalls(
  net: NetConfig,
  wanted: readonly Reference[],
): readonly { readonly layer: LayerConfig; readonly call: number }[] {
  const layers = new Map(net.layers.map((layer) => [layer.name, layer]))
  const done = new Map<string, 'open' | 'done'>()
  const order: { readonly layer: LayerConfig; readonly call: number }[] = []
  const inputs = new Set(net.inputs.map(({ layer }) => layer))
  // An explicit stack: a chain of thousands of layers would overflow JavaScript's.
  const stack = wanted.map((reference) => ({ reference, leave: false })).reverse()
  for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
    const { reference, leave } = top
    const key = `${reference.call} ${reference.layer}`
    const layer = layers.get(reference.layer)
    if (layer === undefined) {
      throw new GruvError('bad-file', `the model has no layer '${reference.layer}'`, {
        where: net.name,
      })
    }
    if (leave) {
      done.set(key, 'done')
      order.push({ layer, call: reference.call })
      continue
    }
    if (done.get(key) === 'done') continue
    if (done.get(key) === 'open') {
      throw new GruvError('bad-file', 'the model runs in a circle', { where: layer.name })
    }
    done.set(key, 'open')
    stack.push({ reference, leave: true })
    if (inputs.has(layer.name)) continue
    const call = layer.calls[reference.call]
    if (call === undefined) {
      throw new GruvError('bad-file', `call ${reference.call} of the layer is not there`, {
        where: layer.name,
        expected: `${layer.calls.length} calls`,
      })
    }
    const needed = [...referencesOf(call)]
    for (const each of needed.reverse()) stack.push({ reference: each, leave: false })
  }
  return order
}

/** The tensors that a call reads. */
export function referencesOf({ args, kwargs }: Call): readonly Reference[] {
  return [...args, ...Object.values(kwargs)].flatMap(referencesIn)
}

function referencesIn(argument: Argument): readonly Reference[] {
  if ('reference' in argument) return [argument.reference]
  return 'list' in argument ? argument.list.flatMap(referencesIn) : []
}

export class Network {
  readonly graph: GraphBuilder
  readonly refused: Refusal[] = []
  readonly #source: Source
  readonly #budget: Budget
  /** Things made once for all calls of a layer, by layer. */
  readonly #made = new Map<LayerConfig, Map<string, unknown>>()

  constructor(source: Source, made: Map<LayerConfig, Map<string, unknown>>) {
    this.#source = source
    this.#budget = source.budget()
    this.graph = new GraphBuilder(this.#budget)
    this.#made = made
  }

  /** The values behind these tensors; null where a layer on the way was refused. */
  run(
    net: NetConfig,
    inputs: ReadonlyMap<string, Value>,
    wanted: readonly Reference[],
    around: LayerPath = [],
    prefix = '',
  ): readonly (Value | null)[] {
    const values = new Map<string, readonly Value[] | null>()
    const keyOf = ({ layer, call }: Reference): string => `${call} ${layer}`
    const resolve = (reference: Reference): Value | null => {
      const results = values.get(keyOf(reference))
      if (results === null || results === undefined) return null
      const value = results[reference.tensor]
      if (value !== undefined) return value
      throw new GruvError('bad-file', `the layer gives no tensor number ${reference.tensor}`, {
        where: reference.layer,
        expected: `0 to ${results.length - 1}`,
      })
    }
    for (const { layer, call } of neededCalls(net, wanted)) {
      // A model inside counts as often as it is called.
      this.#budget.spend('nodes', 1, prefix + layer.name)
      const key = keyOf({ layer: layer.name, call, tensor: 0 })
      const input = inputs.get(layer.name)
      if (input !== undefined) {
        values.set(key, [input])
        continue
      }
      const { args, kwargs } = layer.calls[call]
      const given = args.map((each) => evaluate(each, resolve))
      const named = Object.fromEntries(
        Object.entries(kwargs).map(([name, each]) => [name, evaluate(each, resolve)] as const),
      )
      if (given.includes(null) || Object.values(named).includes(null)) {
        values.set(key, null)
        continue
      }
      const layerPath = [...around, { net, layer }]
      values.set(
        key,
        this.#attempt(layer, () =>
          this.#call(
            layer,
            layerPath,
            prefix + layer.name,
            given as readonly Given[],
            named as Named<Given>,
          ),
        ),
      )
    }
    return wanted.map(resolve)
  }

  /** Notes unsupported layers, so that one message can name them all. */
  #attempt(layer: LayerConfig, run: () => readonly Value[]): readonly Value[] | null {
    try {
      return run()
    } catch (error) {
      if (!isGruvError(error) || error.code !== 'unsupported') throw error
      const got = error.got === undefined ? '' : ` (${error.got})`
      this.refused.push({ layer: layer.name, why: `${layer.className}: ${error.problem}${got}` })
      return null
    }
  }

  #call(
    layer: LayerConfig,
    layerPath: LayerPath,
    name: string,
    args: readonly Given[],
    kwargs: Named<Given>,
  ): readonly Value[] {
    const inputs = args.length === 1 ? listOf(args[0]) : args
    // An operation may be given its tensors by keyword.
    const operands = layer.operation === false ? inputs : [...args, ...Object.values(kwargs)]
    const symbols = operands.flatMap(valuesIn)
    if (symbols.length === 0) {
      throw new GruvError('unsupported', 'a layer that is called without a tensor', { where: name })
    }
    if (constantIn(kwargs.training) === true)
      for (const warning of whileTraining(layer)) this.graph.warnings.add(warning)
    const mask = explicitMask(kwargs)
    const first = mask === undefined ? symbols[0] : { ...symbols[0], mask }
    return this.#dispatch(
      {
        layer,
        settings: layer.settings,
        name,
        x: first,
        inputs: [first, ...symbols.slice(1)],
        args,
        kwargs,
        graph: this.graph,
        version: this.#source.version,
        conventions: this.#source.conventions,
        once: (key, make) => this.#once(layer, key, make),
        weights: () => this.#once(layer, '', () => this.#weightsAt(layerPath)),
        wrapped: () => [],
      },
      layerPath,
    )
  }

  #dispatch(call: LayerCall, layerPath: LayerPath): readonly Value[] {
    const { layer, name } = call
    if (layer.model !== null) return this.#nested(layer.model, call.inputs, layerPath, name)
    const entry = layerEntry(layer)
    if (entry === null || layer.custom !== null) {
      throw new GruvError('unsupported', reasonAgainst(layer), { where: name })
    }
    const wrapped: LayerCall['wrapped'] = (inner, path, inputs, innerName) =>
      this.#dispatch(
        {
          ...call,
          layer: inner,
          settings: inner.settings,
          name: innerName,
          x: inputs[0],
          inputs,
          args: inputs,
          kwargs: {},
          once: (key, make) => call.once(path + key, make),
          weights: () => under(call.weights(), path),
        },
        layerPath,
      )
    const policy = dtypePolicy(layer)
    if (policy !== null && /^(mixed_)?b?float16$/.test(policy)) {
      this.graph.warnings.add(
        `layers compute in ${policy} where they were trained: here they do not round to 16 bits`,
      )
    }
    const results = entry.build({ ...call, wrapped })
    const passesOn = entry.masks === 'since 3' ? call.version.major >= 3 : entry.masks
    return results.map((result) => this.#masked(call, passesOn, result))
  }

  #nested(
    net: NetConfig,
    inputs: readonly Value[],
    layerPath: LayerPath,
    name: string,
  ): readonly Value[] {
    if (net.inputs.length !== inputs.length) {
      throw new GruvError('bad-file', 'the model inside is called with another number of inputs', {
        where: name,
        expected: `${net.inputs.length}`,
        got: `${inputs.length}`,
      })
    }
    const given = new Map(net.inputs.map(({ layer }, i) => [layer, inputs[i]]))
    const results = this.run(net, given, net.outputs, layerPath, `${name}/`)
    if (results.includes(null)) {
      throw new GruvError('unsupported', 'a layer in it is not supported', { where: name })
    }
    return results as readonly Value[]
  }

  /** A mask that a layer's builder did not set is passed on, or ends here. */
  #masked({ name, layer, x }: LayerCall, passesOn: boolean, result: Result): Value {
    if (result.mask !== undefined) return { ...result, mask: result.mask }
    if (x.mask !== null && !passesOn) {
      this.graph.warnings.add(
        `the mask of the steps ends at ${name}: a ${layer.className} layer does not pass it on, as in Keras`,
      )
    }
    return { ...result, mask: passesOn ? x.mask : null }
  }

  #weightsAt(layerPath: LayerPath): Named<Tensor> {
    const { layer } = layerPath.at(-1)!
    const slots = slotsOf(layer)
    if (slots.length === 0) return {}
    const tensors = this.#source.weights.find(layerPath, slots)
    return Object.fromEntries(
      slots.map(({ path, name }, i) => [[...path, name].join('/'), tensors[i]] as const),
    )
  }

  #once<T>(layer: LayerConfig, key: string, make: () => T): T {
    let made = this.#made.get(layer)
    if (made === undefined) {
      made = new Map()
      this.#made.set(layer, made)
    }
    if (!made.has(key)) made.set(key, make())
    // Each key is asked for with one type only: keys are private to a layer's builder.
    return made.get(key) as T
  }
}

function listOf(given: Given): readonly Given[] {
  return Array.isArray(given) ? given : [given]
}

function evaluate(
  argument: Argument,
  resolve: (reference: Reference) => Value | null,
): Given | null {
  if ('reference' in argument) return resolve(argument.reference)
  if ('constant' in argument) return argument
  const list = argument.list.map((each) => evaluate(each, resolve))
  return list.includes(null) ? null : (list as readonly Given[])
}

/** A mask that the call itself names takes precedence over the one that its input carries. */
function explicitMask({ mask }: Named<Given>): Value | undefined {
  return isValue(mask) ? mask : undefined
}

/** An input of the graph. */
export function inputValue(port: Port): Value {
  return { value: port.name, shape: port.shape as readonly Dim[], mask: null }
}
