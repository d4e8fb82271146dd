/** Reads the arguments of an operation by the names of its parameters. */

import { type NestedNumbers, type Tensor, toTensor } from '../../../tensor.ts'
import { axisOf, type Result } from '../graph.ts'
import {
  constantIn,
  entry,
  type Given,
  isValue,
  type LayerCall,
  type LayerEntry,
  unsupported,
} from '../layer.ts'
import { constant } from './core.ts'

/** What a call gives for each parameter; what it leaves out is undefined. */
export type Arguments = (parameter: string) => Given | undefined

/**
 * An operation as an entry of the table of layers.
 * @param parameters those of a call, then those that the operation is made with.
 */
export function operation(
  parameters: string,
  build: (call: LayerCall, given: Arguments) => Result | readonly Result[],
): LayerEntry {
  const names = parameters.split(' ')
  return entry((call) => {
    const built = build(call, argumentsOf(call, names))
    const results = Array.isArray(built) ? (built as readonly Result[]) : [built as Result]
    return results.map((result) => ({ value: result.value, shape: result.shape, mask: null }))
  }, false)
}

/** Entries of every configuration that change no number. */
const passedOver: readonly string[] = ['name', 'dtype', 'trainable']

/**
 * The arguments of a call: by position, by keyword, and those that the operation was made with.
 * @param parameters in the order of the operation's own signature.
 * @throws GruvError `unsupported` for an argument that is none of these, so that none is lost.
 */
function argumentsOf(call: LayerCall, parameters: readonly string[]): Arguments {
  const given = new Map<string, Given>()
  const put = (name: string | undefined, value: Given): void => {
    const empty = constantIn(value) === null || constantIn(value) === false
    if (name !== undefined && parameters.includes(name)) given.set(name, value)
    else if (!empty && !(name !== undefined && passedOver.includes(name)))
      throw unsupported(call, 'an argument that gruv does not know', name ?? 'one too many')
  }
  for (const [name, value] of Object.entries(call.settings.values)) put(name, { constant: value })
  for (const [i, value] of call.args.entries()) put(parameters[i], value)
  for (const [name, value] of Object.entries(call.kwargs)) put(name, value)
  return (parameter) => given.get(parameter)
}

/** A constant argument as JSON has it; undefined where a tensor stands in it. */
export function plain(given: Given | undefined): unknown {
  if (given === undefined || isValue(given)) return undefined
  if (!Array.isArray(given)) return constantIn(given)
  const list = (given as readonly Given[]).map(plain)
  return list.includes(undefined) ? undefined : list
}

/** The numbers of a constant argument; null for what is no array of numbers. */
export function constantTensor(given: Given | undefined, where: string): Tensor | null {
  const numbers = numeric(plain(given))
  return numbers === null ? null : toTensor(numbers, where)
}

/** True and false count as 1 and 0. */
function numeric(value: unknown): NestedNumbers | { shape: []; data: number[] } | null {
  const number = typeof value === 'boolean' ? Number(value) : value
  if (typeof number === 'number') return { shape: [], data: [number] }
  return nested(value)
}

function nested(value: unknown): NestedNumbers | null {
  if (!Array.isArray(value)) return null
  const parts = value.map((each: unknown) =>
    typeof each === 'boolean' ? Number(each) : typeof each === 'number' ? each : nested(each),
  )
  return parts.includes(null) ? null : (parts as NestedNumbers)
}

/** A tensor of the graph, or a constant one. */
export function tensorOf(call: LayerCall, given: Given | undefined, port: string): Result {
  if (isValue(given)) return given
  const tensor = constantTensor(given, call.name)
  if (tensor === null) throw unsupported(call, 'this argument of an operation', port)
  return constant(call.graph, `${call.name}.${port}`, tensor)
}

/** A list of tensors; one alone is a list of one. */
export function tensorsOf(
  call: LayerCall,
  given: Given | undefined,
  port: string,
): readonly Result[] {
  const list = Array.isArray(given) ? (given as readonly Given[]) : [given]
  return list.map((each, i) => tensorOf(call, each, `${port}${i}`))
}

/** A whole number, or the fallback where none is given. */
export function wholeOf(
  call: LayerCall,
  given: Given | undefined,
  port: string,
  fallback: number,
): number {
  const [value, ...more] = wholesOf(call, given, port) ?? [fallback]
  if (value !== undefined && more.length === 0) return value
  throw unsupported(call, 'this argument of an operation', port)
}

/** Whole numbers; null where nothing is given. */
export function wholesOf(
  call: LayerCall,
  given: Given | undefined,
  port: string,
): readonly number[] | null {
  const value = given === undefined ? null : plain(given)
  if (value === null) return null
  const list: readonly unknown[] = Array.isArray(value) ? value : [value]
  if (list.every((each) => Number.isSafeInteger(each))) return list as readonly number[]
  throw unsupported(call, 'this argument of an operation', port)
}

/** Axes without the rows' own, which no operation here may touch. */
export function axesOf(call: LayerCall, given: Given | undefined, rank: number): readonly number[] {
  const axes = (wholesOf(call, given, 'axis') ?? [0]).map((axis) => axisOf(axis, rank, call.name))
  if (axes.length === 0 || axes.includes(0)) throw unsupported(call, 'an operation over all rows')
  return axes
}

export function axisIn(
  call: LayerCall,
  given: Given | undefined,
  rank: number,
  fallback: number,
): number {
  return axesOf(call, given ?? { constant: fallback }, rank)[0]
}
