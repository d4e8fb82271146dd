/** Walks through an ONNX graph, operator by operator, in the order of the file. */

import { GruvError, isGruvError, within } from '../../errors.ts'
import type { Budget } from '../../limits.ts'
import type { Dim, Port } from '../../model/types.ts'
import { Graph, inOrder } from './graph.ts'
import { uniform } from './known.ts'
import { neededNodes } from './needed.ts'
import { Op, type Operators, type Setting } from './op.ts'
import { joining } from './ops/concat.ts'
import { spatial } from './ops/convolution.ts'
import { einsum } from './ops/einsum.ts'
import { elementwise } from './ops/elementwise.ts'
import { linear } from './ops/linear.ts'
import { picking } from './ops/picking.ts'
import { quantized } from './ops/quantized.ts'
import { recurrent } from './ops/recurrent.ts'
import { shaping } from './ops/shape.ts'
import { slicing } from './ops/slice.ts'
import type {
  AttributeProto,
  FunctionProto,
  GraphProto,
  NodeProto,
  ValueInfoProto,
} from './proto.ts'
import { type Draft, simplify } from './simplify.ts'
import { Learned, type Symbols } from './symbols.ts'
import { checkRank, showType, typeOf } from './tensors.ts'
import { known, type Live, liveValue, type Value } from './values.ts'

/** Everything that is read, by ONNX's names. */
export const operators: Operators = {
  ...recurrent,
  ...elementwise,
  ...shaping,
  ...slicing,
  ...joining,
  ...picking,
  ...quantized,
  ...linear,
  ...einsum,
  ...spatial,
}

export interface Source {
  readonly graph: GraphProto
  /** The outputs of the Model, and the values of the graph behind them. */
  readonly outputs: readonly { readonly name: string; readonly value: string }[]
  readonly functions: ReadonlyMap<string, FunctionProto>
  readonly setting: Omit<Setting, 'graph'>
  /** Of one walk. */
  readonly budget: () => Budget
  /** Of all walks together. */
  readonly walks: Budget
  /** Inputs that are fixed numbers. */
  readonly set: Readonly<Record<string, number>>
  readonly subgraph: (attribute: AttributeProto) => GraphProto
  /** Grows from walk to walk. */
  readonly branches: Map<NodeProto, GraphProto>
}

export interface Imported extends Draft {
  readonly warnings: readonly string[]
}

/**
 * One walk.
 * @throws Learned when a symbol has a new meaning or an If its branch, and the walk must begin again.
 */
export function walk(source: Source, symbols: Symbols): Imported {
  const { graph: proto, setting } = source
  const initializers = new Map(proto.initializers.map((tensor) => [tensor.name, tensor]))
  const inputs = proto.inputs
    .filter(({ name }) => !initializers.has(name) && !Object.hasOwn(source.set, name))
    .map((info) => rowsFirst(portOf(info, symbols)))
  const graph = new Graph(
    inputs.map(({ name, shape, axes }) => ({
      name,
      shape: axes === undefined ? shape : axes.map((axis) => shape[axis]),
    })),
    symbols,
    source.budget(),
  )
  const walker = new Walker(source, { ...setting, graph })
  const values = new Map<string, Value>()
  for (const [name, tensor] of initializers) values.set(name, known(setting.decode(tensor)))
  for (const info of proto.inputs) {
    const port = inputs.find(({ name }) => name === info.name)
    if (port !== undefined) values.set(port.name, arriving(port, typeIn(info)))
    else if (!initializers.has(info.name)) values.set(info.name, fixed(info, source, symbols))
  }
  walker.run(
    proto.nodes,
    values,
    source.outputs.map(({ value }) => value),
  )
  const outputs = source.outputs.map(({ name, value: behind }) => {
    graph.where = `output ${name}`
    const value = values.get(behind)
    if (value === undefined) {
      throw new GruvError('bad-file', `nothing makes the output '${name}'`, { where: 'graph' })
    }
    return { name, ...outputOf(graph, graph.live(value)) }
  })
  if (!symbols.isTaken('batch') && inputs.length > 0) {
    for (const { shape } of inputs) if (shape.length > 1) symbols.role(shape[0], 'batch')
  }
  const draft = simplify({ inputs, nodes: graph.nodes, outputs })
  return { ...draft, warnings: [...graph.warnings] }
}

/** A value as an output: in the order in which it lies, where it has exactly ONNX's axes. */
function outputOf(graph: Graph, live: Live): { value: string; axes?: readonly number[] } {
  const order = graph.naturalOrder(live)
  const value = graph.layOut(live, order)
  // An input that only passes through needs a node too: a graph without nodes is no model.
  const passed =
    graph.makerOf(value) === undefined
      ? graph.apply({ kind: 'activation', activation: { kind: 'linear', parameters: [] } }, value)
      : value
  return order.every((axis, i) => axis === i) ? { value: passed } : { value: passed, axes: order }
}

/**
 * The Model has the rows first. An input with the steps first gets an order of axes, once it is
 * known which axis is which.
 */
function rowsFirst(port: Port): Port {
  const { shape } = port
  if (shape[0] !== 'time' || shape[1] !== 'batch') return port
  return { ...port, axes: [1, 0, ...shape.slice(2).map((_, i) => i + 2)] }
}

function arriving({ name, shape, axes }: Port, type: Live['type']): Live {
  return axes === undefined
    ? liveValue(name, shape.length, type)
    : inOrder(name, axes, shape.length, type)
}

function portOf({ name, type }: ValueInfoProto, symbols: Symbols): Port {
  const where = `input ${name}`
  const tensor = type?.tensor
  if (tensor?.shape === undefined) {
    throw new GruvError('unsupported', 'an input needs a shape', {
      where,
      got: type === undefined || tensor === undefined ? 'no tensor' : 'a tensor without one',
      fix: 'Export the model with the shapes of its inputs; extents may be symbolic.',
    })
  }
  if (typeOf(tensor.type) === undefined) {
    throw new GruvError('unsupported', `an input of ${showType(tensor.type)} cannot be given`, {
      where,
    })
  }
  return { name, shape: shapeIn({ name, type }, symbols) }
}

function shapeIn({ name, type }: ValueInfoProto, symbols: Symbols): readonly Dim[] {
  const dims = type?.tensor?.shape?.dims ?? []
  checkRank(`input ${name}`, dims.length)
  return dims.map(({ value, symbol }, axis): Dim => {
    if (value !== undefined && value > 0) return value
    return symbols.named(symbol === undefined || symbol === '' ? `${name}_${axis}` : symbol)
  })
}

/** An input that is one number everywhere. */
function fixed(info: ValueInfoProto, { set }: Source, symbols: Symbols): Value {
  const shape = shapeIn(info, symbols)
  const dtype = typeOf(info.type?.tensor?.type ?? 1) ?? 'float32'
  const value = set[info.name]
  if (dtype.includes('int') && !Number.isInteger(value)) {
    throw new GruvError('bad-argument', 'this input takes whole numbers', {
      where: `set ${info.name}`,
      got: `${value}`,
    })
  }
  const data = Float64Array.of(dtype === 'bool' ? Number(value !== 0) : value)
  return { kind: 'known', shape, tensor: { shape: shape.map(() => 1), data, dtype } }
}

function typeIn({ type }: ValueInfoProto): Live['type'] {
  const dtype = typeOf(type?.tensor?.type ?? 1) ?? 'float32'
  return dtype === 'bool' ? 'bool' : dtype.includes('int') ? 'int' : 'float'
}

/** Calls of functions inside functions; the exporters write three or so. */
const MOST_CALLS = 16
/** What it takes to read an operator, in operations of arithmetic. */
const OPERATOR = 2 ** 11

class Walker {
  private readonly source: Source
  private readonly setting: Setting
  private calls = 0

  constructor(source: Source, setting: Setting) {
    this.source = source
    this.setting = setting
  }

  run(
    nodes: readonly NodeProto[],
    values: Map<string, Value>,
    outputs: readonly string[],
    attributes: ReadonlyMap<string, AttributeProto> = new Map(),
  ): void {
    const { nodes: needed, read } = neededNodes(nodes, outputs, this.source.branches)
    for (const [at, node] of nodes.entries()) {
      if (!needed.has(node)) continue
      const name = node.name || `${node.type.toLowerCase()}_${at}`
      try {
        this.step(node, name, values, read, attributes)
      } catch (error) {
        throw isGruvError(error) && !error.where?.startsWith(name)
          ? within(`${name} (${node.type})`, error)
          : error
      }
    }
  }

  private step(
    node: NodeProto,
    name: string,
    values: Map<string, Value>,
    read: ReadonlySet<string>,
    outer: ReadonlyMap<string, AttributeProto>,
  ): void {
    // The operators of a function count as often as it is called.
    this.setting.graph.budget.spend('nodes', 1, name)
    this.source.walks.spend('operations', OPERATOR, name)
    this.setting.graph.where = name
    const inputs = node.inputs.map((input) =>
      input === '' ? undefined : valueNamed(values, input),
    )
    const attributes = new Map(
      node.attributes.flatMap((attribute) => {
        const meant = attribute.reference === '' ? attribute : outer.get(attribute.reference)
        return meant === undefined ? [] : [[attribute.name, meant] as const]
      }),
    )
    const wanted = node.outputs.map((output) => output !== '' && read.has(output))
    const call = this.source.functions.get(`${node.domain}::${node.type}`)
    const results =
      call !== undefined
        ? this.call(call, inputs, attributes)
        : node.type === 'If'
          ? this.choose(node, inputs[0], values, attributes)
          : this.operate(node, name, inputs, attributes, wanted)
    node.outputs.forEach((output, i) => {
      if (output === '') return
      const result = results[i]
      if (result !== undefined && result !== null) values.set(output, result)
      else if (wanted[i]) {
        throw new GruvError('unsupported', `output ${i} of ${node.type} is not computed`)
      }
    })
  }

  private operate(
    node: NodeProto,
    name: string,
    inputs: readonly (Value | undefined)[],
    attributes: ReadonlyMap<string, AttributeProto>,
    wanted: readonly boolean[],
  ): readonly (Value | null)[] {
    const { type } = node
    const results = operators[type](
      new Op(this.setting, { type, name, attributes, inputs, wanted }),
    )
    for (const result of results) {
      if (result !== null) checkRank('its output', this.setting.graph.extentsOf(result).length)
    }
    return results
  }

  /** A function of the file in place of its call. */
  private call(
    { inputs, outputs, nodes, defaults }: FunctionProto,
    given: readonly (Value | undefined)[],
    attributes: ReadonlyMap<string, AttributeProto>,
  ): readonly (Value | null)[] {
    if (++this.calls > MOST_CALLS) throw tooMany('functions inside functions', MOST_CALLS)
    const values = new Map<string, Value>()
    inputs.forEach((input, i) => {
      const value = given[i]
      if (value !== undefined) values.set(input, value)
    })
    const all = new Map([...defaults.map((each) => [each.name, each] as const), ...attributes])
    this.run(nodes, values, outputs, all)
    this.calls--
    return outputs.map((output) => values.get(output) ?? null)
  }

  /**
   * The branch of an If in its place.
   * @throws Learned once it is known which one: what only that one needs was passed over.
   */
  private choose(
    node: NodeProto,
    condition: Value | undefined,
    values: ReadonlyMap<string, Value>,
    attributes: ReadonlyMap<string, AttributeProto>,
  ): readonly (Value | null)[] {
    const { branches, subgraph } = this.source
    const branch = branches.get(node)
    if (branch === undefined) {
      const holds = condition?.kind === 'known' ? uniform(condition) : null
      if (holds === null) {
        throw this.setting.graph.unsupported('which branch this If takes depends on the input', {
          expected: 'a condition that follows from the file and the extents',
          fix: '`--set NAME=NUMBER`, or the option `set`, fixes an input that a condition depends on.',
        })
      }
      const taken = attributes.get(holds !== 0 ? 'then_branch' : 'else_branch')
      if (taken === undefined) throw new GruvError('bad-file', 'this If lacks a branch')
      branches.set(node, subgraph(taken))
      throw new Learned()
    }
    if (++this.calls > MOST_CALLS)
      throw tooMany('functions and branches inside each other', MOST_CALLS)
    const inside = new Map(values)
    for (const tensor of branch.initializers)
      inside.set(tensor.name, known(this.setting.decode(tensor)))
    const outputs = branch.outputs.map(({ name }) => name)
    this.run(branch.nodes, inside, outputs, attributes)
    this.calls--
    return outputs.map((output) => inside.get(output) ?? null)
  }
}

function valueNamed(values: ReadonlyMap<string, Value>, name: string): Value {
  const value = values.get(name)
  if (value !== undefined) return value
  throw new GruvError('bad-file', `reads the value '${name}', which nothing before it makes`)
}

function tooMany(what: string, most: number): GruvError {
  return new GruvError('too-large', `too many ${what}`, { expected: `at most ${most}` })
}
