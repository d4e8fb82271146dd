/** An operator of the file as the importer sees it: its inputs, attributes and version. */

import { GruvError } from '../../errors.ts'
import type { ConventionOptions } from '../../model/conventions/conventions.ts'
import type { Tensor } from '../../tensor.ts'
import type { Graph } from './graph.ts'
import { materialize, wholeNumbers } from './known.ts'
import type { AttributeProto, TensorProto } from './proto.ts'
import type { Known, Value } from './values.ts'

/** Shared by all operators of a file. */
export interface Setting {
  readonly graph: Graph
  readonly opset: number
  readonly conventions: ConventionOptions
  readonly fromPytorch: boolean
  readonly decode: (tensor: TensorProto) => Tensor
}

/** One operator: its outputs from its inputs, in ONNX's order; null for outputs it cannot give. */
export type Operator = (op: Op) => readonly (Value | null)[]

export type Operators = Readonly<Record<string, Operator>>

export class Op {
  readonly type: string
  readonly name: string
  readonly setting: Setting
  readonly graph: Graph
  readonly opset: number
  /** undefined for optional inputs that are left out. */
  readonly inputs: readonly (Value | undefined)[]
  /** Which outputs are read. */
  readonly wanted: readonly boolean[]
  private readonly attributes: ReadonlyMap<string, AttributeProto>

  constructor(
    setting: Setting,
    node: {
      readonly type: string
      readonly name: string
      readonly attributes: ReadonlyMap<string, AttributeProto>
      readonly inputs: readonly (Value | undefined)[]
      readonly wanted: readonly boolean[]
    },
  ) {
    this.setting = setting
    this.graph = setting.graph
    this.opset = setting.opset
    this.type = node.type
    this.name = node.name
    this.inputs = node.inputs
    this.wanted = node.wanted
    this.attributes = node.attributes
  }

  /** @throws GruvError `bad-file` where a required input is missing. */
  input(index: number): Value {
    const value = this.inputs[index]
    if (value !== undefined) return value
    throw new GruvError('bad-file', `the operator ${this.type} lacks input ${index}`, {
      where: this.graph.where,
    })
  }

  has(name: string): boolean {
    return this.attributes.has(name)
  }

  attribute(name: string): AttributeProto | undefined {
    return this.attributes.get(name)
  }

  int(name: string, fallback: number): number {
    const value = this.attributes.get(name)?.int ?? fallback
    if (Number.isSafeInteger(value)) return value
    throw this.wrong(`attribute ${name}`, 'a whole number', `${value}`)
  }

  float(name: string, fallback: number): number {
    return this.attributes.get(name)?.float ?? fallback
  }

  string(name: string, fallback: string): string {
    const bytes = this.attributes.get(name)?.string
    return bytes === undefined ? fallback : text(bytes)
  }

  ints(name: string): readonly number[] | undefined {
    const ints = this.attributes.get(name)?.ints
    if (ints === undefined || ints.every(Number.isInteger)) return ints
    throw this.wrong(`attribute ${name}`, 'whole numbers', ints.join(', '))
  }

  floats(name: string): readonly number[] {
    return this.attributes.get(name)?.floats ?? []
  }

  strings(name: string): readonly string[] {
    return (this.attributes.get(name)?.strings ?? []).map(text)
  }

  tensor(name: string): Tensor | undefined {
    const tensor = this.attributes.get(name)?.tensor
    return tensor === undefined ? undefined : this.setting.decode(tensor)
  }

  /** An input that must be part of the file; undefined where it is left out. */
  known(index: number, what: string): Known | undefined {
    const value = this.inputs[index]
    if (value === undefined || value.kind === 'known') return value
    throw this.graph.unsupported(`${what} of ${this.type} must be part of the model`, {
      got: 'numbers that depend on the inputs',
    })
  }

  /** The same as one whole tensor. */
  constant(index: number, what: string): Tensor | undefined {
    const value = this.known(index, what)
    return value === undefined ? undefined : materialize(value, this.graph.spend)
  }

  /** Whole numbers that older versions hold in an attribute, newer ones in an input. */
  list(attribute: string, index: number): readonly number[] | undefined {
    const attributes = this.ints(attribute)
    if (attributes !== undefined) return attributes
    const value = this.known(index, attribute)
    if (value === undefined) return undefined
    const numbers = wholeNumbers(value)
    if (numbers !== null) return numbers
    throw this.wrong(`input ${attribute}`, 'whole numbers', 'something else')
  }

  /** An input of one number. */
  number(index: number, what: string): number | undefined {
    const value = this.known(index, what)
    if (value === undefined) return undefined
    if (value.tensor.data.length === 1) return value.tensor.data[0]
    throw this.wrong(what, 'one number', `${value.tensor.data.length}`)
  }

  /** An axis counted from either end. */
  axis(axis: number, rank: number): number {
    const from = axis < 0 ? axis + rank : axis
    if (Number.isInteger(from) && from >= 0 && from < Math.max(rank, 1)) return from
    throw this.wrong('axis', `from ${-rank} to ${rank - 1}`, `${axis}`)
  }

  axes(axes: readonly number[], rank: number): readonly number[] {
    const counted = axes.map((axis) => this.axis(axis, rank))
    if (new Set(counted).size === counted.length) return counted
    throw this.wrong('axes', 'each axis once', axes.join(', '))
  }

  wrong(what: string, expected: string, got: string): GruvError {
    return new GruvError('bad-file', `${what} of the operator ${this.type} is not right`, {
      where: this.graph.where,
      expected,
      got: got.slice(0, 100),
    })
  }
}

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes.subarray(0, 200))
}
