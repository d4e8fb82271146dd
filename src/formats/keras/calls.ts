/**
 * Reads how the layers of a Keras model are called: `inbound_nodes` in their two spellings, and
 * references to tensors.
 */

import { isCount } from '../../bytes/checks.ts'
import { GruvError } from '../../errors.ts'
import { array, object } from '../decode.ts'

/** One of the tensors that a call of a layer gives. */
export interface Reference {
  readonly layer: string
  readonly call: number
  readonly tensor: number
}

/** An argument of a call: a tensor, a list of arguments, or a constant. */
export type Argument =
  | { readonly reference: Reference }
  | { readonly list: readonly Argument[] }
  | { readonly constant: unknown }

export interface Call {
  readonly args: readonly Argument[]
  readonly kwargs: Readonly<Record<string, Argument>>
}

/** `inbound_nodes`: one entry for each call of the layer. */
export function calls(nodes: unknown, known: ReadonlySet<string>, where: string): readonly Call[] {
  return array(nodes ?? [], `${where}.inbound_nodes`).map((node, i): Call => {
    const at = `${where}.inbound_nodes[${i}]`
    if (!Array.isArray(node)) {
      const { args, kwargs } = object(node, at)
      // TensorFlow 2, called with tensors by name.
      if (args === undefined && kwargs === undefined)
        return { args: [byName(object(node, at), (each) => argument2(each, known))], kwargs: {} }
      return {
        args: array(args ?? [], at).map((each) => argument3(each, at)),
        kwargs: mapValues(object(kwargs ?? {}, at), (each) => argument3(each, at)),
      }
    }
    // A call with one tensor that is no list of tensors: ["layer", 0, 0, {…}].
    const tensors = typeof node[0] === 'string' ? [node] : node
    const references = tensors.map((each) => argument2(each, known))
    const kwargs = new Map<string, Argument>()
    for (const each of tensors) {
      const last: unknown = Array.isArray(each) ? each[3] : undefined
      if (typeof last !== 'object' || last === null) continue
      for (const [key, value] of Object.entries(last)) kwargs.set(key, argument2(value, known))
    }
    return {
      args: [references.length === 1 ? references[0] : { list: references }],
      kwargs: Object.fromEntries(kwargs),
    }
  })
}

/** Tensors by name go in the order of their names, as Keras flattens them. */
function byName(
  values: Readonly<Record<string, unknown>>,
  read: (value: unknown) => Argument,
): Argument {
  return { list: sortedValues(values).map(read) }
}

function sortedValues(values: Readonly<Record<string, unknown>>): readonly unknown[] {
  return Object.entries(values)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, value]) => value)
}

/** Keras 1 and 2: ["layer", call, tensor]. */
function argument2(value: unknown, known: ReadonlySet<string>): Argument {
  const reference = referenceOf(value, known)
  if (reference !== null) return { reference }
  if (!Array.isArray(value)) return { constant: value }
  if (value[0] === '_CONSTANT_VALUE') return { constant: value[2] }
  return { list: value.map((each) => argument2(each, known)) }
}

/** Keras 3: an object that says it is a tensor. */
function argument3(value: unknown, where: string): Argument {
  if (Array.isArray(value)) return { list: value.map((each) => argument3(each, where)) }
  if (typeof value !== 'object' || value === null) return { constant: value }
  const { class_name: kind, config } = value as Record<string, unknown>
  if (kind === undefined && Object.values(value).some(isTensor))
    return byName(value as Record<string, unknown>, (each) => argument3(each, where))
  if (kind !== '__keras_tensor__') return { constant: value }
  const [layer, call, tensor] = array(object(config, where).keras_history, where)
  if (typeof layer !== 'string' || !isCount(call) || !isCount(tensor)) {
    throw new GruvError('bad-file', 'a tensor of the configuration has no origin', { where })
  }
  return { reference: { layer, call, tensor } }
}

function isTensor(value: unknown): boolean {
  return (value as { class_name?: unknown } | null)?.class_name === '__keras_tensor__'
}

function referenceOf(value: unknown, known: ReadonlySet<string>): Reference | null {
  if (!Array.isArray(value)) return null
  const [layer, call = 0, tensor = 0] = value
  if (typeof layer !== 'string' || !known.has(layer) || !isCount(call) || !isCount(tensor))
    return null
  return { layer, call, tensor }
}

/** A reference, a list of them, or an object of them by name. */
export function references(
  value: unknown,
  known: ReadonlySet<string>,
  where: string,
): readonly Reference[] {
  const one = referenceOf(value, known)
  if (one !== null) return [one]
  if (
    typeof value === 'object' &&
    value !== null &&
    !(Array.isArray(value) && typeof value[0] === 'string')
  )
    return (Array.isArray(value) ? value : sortedValues(value as Record<string, unknown>)).flatMap(
      (each) => references(each, known, where),
    )
  throw new GruvError('bad-file', 'this names no layer of the model', {
    where,
    expected: 'a layer, a call and a tensor',
    got: (JSON.stringify(value) ?? 'nothing').slice(0, 60),
  })
}

function mapValues<T, U>(
  record: Readonly<Record<string, T>>,
  map: (value: T) => U,
): Readonly<Record<string, U>> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]))
}
