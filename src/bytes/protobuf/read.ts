/**
 * Reads protocol buffers, https://protobuf.dev/programming-guides/encoding/: messages that a table
 * describes become objects.
 *
 * ```ts
 * const node = message({ name: [1, 'string'], inputs: [2, 'string', 'repeated'] })
 * const graph = message({ nodes: [1, () => node, 'repeated'], version: [4, 'int64', 'optional'] })
 * type Graph = MessageOf<typeof graph>
 *
 * const { nodes } = readMessage(bytes, graph)
 * ```
 */

import { GruvError, isGruvError } from '../../errors.ts'
import { MOST_MESSAGES } from '../../limits.ts'
import { BIT32, BIT64, DELIMITED, VARINT, WireReader } from './wire.ts'

type ScalarType =
  | 'int32'
  | 'int64'
  | 'uint32'
  | 'uint64'
  | 'enum'
  | 'fixed32'
  | 'fixed64'
  | 'float'
  | 'double'
  | 'bool'
  | 'string'
  | 'bytes'
type FieldType = ScalarType | (() => Message<unknown>)

/**
 * `[number, type]` for a scalar that is 0, '', false or no bytes when it is absent;
 * `[number, type, 'optional']` for a value that is undefined then, as messages always are;
 * `[number, type, 'repeated']` for lists. Members of a `oneof` are optional; a `map` is a repeated
 * message of key 1 and value 2. Messages are named by a function, so that they can hold themselves.
 */
type FieldRow =
  | readonly [number: number, type: ScalarType]
  | readonly [number: number, type: FieldType, rule: 'optional' | 'repeated']

type ValueOf<T> = T extends () => Message<infer V>
  ? V
  : T extends 'bool'
    ? boolean
    : T extends 'string'
      ? string
      : T extends 'bytes'
        ? Uint8Array
        : number

/** One property per row; fields of the file without a row are skipped. */
type Described<Rows> = {
  readonly [Name in keyof Rows]: Rows[Name] extends readonly [number, infer T, infer Rule]
    ? Rule extends 'repeated'
      ? readonly ValueOf<T>[]
      : ValueOf<T> | undefined
    : Rows[Name] extends readonly [number, infer T]
      ? ValueOf<T>
      : never
}

interface Field {
  readonly name: string
  readonly type: FieldType
  readonly repeated: boolean
}

/** How a message T lies in bytes; made by `message`. */
export interface Message<T> {
  readonly byNumber: ReadonlyMap<number, Field>
  /** A message of no bytes. */
  readonly empty: Readonly<T>
}

/** The object that a message becomes. */
export type MessageOf<M> = M extends Message<infer T> ? T : never

export function message<const Rows extends Readonly<Record<string, FieldRow>>>(
  rows: Rows,
): Message<Described<Rows>> {
  const byNumber = new Map<number, Field>()
  const empty: Record<string, unknown> = {}
  for (const [name, [number, type, rule]] of Object.entries(rows)) {
    byNumber.set(number, { name, type, repeated: rule === 'repeated' })
    if (rule === 'repeated') empty[name] = NONE
    else empty[name] = rule === undefined && typeof type === 'string' ? zeroOf(type) : undefined
  }
  return { byNumber, empty: empty as Described<Rows> }
}

const NONE: readonly never[] = Object.freeze([])

function zeroOf(type: ScalarType): unknown {
  if (type === 'string') return ''
  if (type === 'bytes') return new Uint8Array(0)
  return type === 'bool' ? false : 0
}

/** protobuf's own limit, https://protobuf.dev/programming-guides/proto-limits/. */
const MOST_LEVELS = 100

interface Scalar {
  readonly wireType: number
  readonly read: (reader: WireReader) => unknown
}

const scalars: Readonly<Record<ScalarType, Scalar>> = {
  int32: { wireType: VARINT, read: (reader) => reader.int32() },
  int64: { wireType: VARINT, read: (reader) => reader.int64() },
  uint32: { wireType: VARINT, read: (reader) => reader.uint32() },
  uint64: { wireType: VARINT, read: (reader) => reader.uint64() },
  enum: { wireType: VARINT, read: (reader) => reader.int32() },
  fixed32: { wireType: BIT32, read: (reader) => reader.fixed32() },
  fixed64: { wireType: BIT64, read: (reader) => reader.fixed64() },
  float: { wireType: BIT32, read: (reader) => reader.float() },
  double: { wireType: BIT64, read: (reader) => reader.double() },
  bool: { wireType: VARINT, read: (reader) => reader.bool() },
  string: { wireType: DELIMITED, read: (reader) => reader.string() },
  bytes: { wireType: DELIMITED, read: (reader) => reader.bytes() },
}

/**
 * A message from all of `bytes`.
 *
 * 64-bit integers beyond ±2^53 become the nearest float64; enums are numbers; `bytes` are views of
 * the file, not copies. Of a field that is not repeated and comes twice the last one counts.
 * @throws GruvError `bad-file` for bytes that are no such message, with the field and the byte,
 *   `too-large` for more than 100 levels or a million messages.
 */
export function readMessage<T extends object>(bytes: Uint8Array, type: Message<T>): T {
  return new Walk(bytes).read(bytes, type)
}

class Walk {
  private messages = 0
  /** The path to the current field: `node[3]`, `attribute`. */
  private readonly path: string[] = []
  private readonly file: Uint8Array

  constructor(file: Uint8Array) {
    this.file = file
  }

  read<T extends object>(bytes: Uint8Array, { byNumber, empty }: Message<T>): T {
    if (this.path.length > MOST_LEVELS) throw this.tooMany('levels', MOST_LEVELS)
    if (++this.messages > MOST_MESSAGES) throw this.tooMany('messages', MOST_MESSAGES)
    const found = { ...empty } as Record<string, unknown>
    const reader = new WireReader(bytes)
    while (reader.at < bytes.length) {
      const at = bytes.byteOffset - this.file.byteOffset + reader.at
      try {
        const [number, wireType] = reader.tag()
        const field = byNumber.get(number)
        if (field === undefined) reader.skip(wireType, number)
        else if (field.repeated) this.append(reader, field, wireType, found)
        else {
          this.path.push(field.name)
          found[field.name] = this.value(reader, field, wireType)
          this.path.pop()
        }
      } catch (error) {
        throw isGruvError(error) ? error : this.damaged(error, at)
      }
    }
    return found as T
  }

  private append(
    reader: WireReader,
    field: Field,
    wireType: number,
    found: Record<string, unknown>,
  ): void {
    if (found[field.name] === NONE) found[field.name] = []
    const list = found[field.name] as unknown[]
    this.path.push(`${field.name}[${list.length}]`)
    const scalar = typeof field.type === 'string' ? scalars[field.type] : undefined
    // Numbers may come one by one or packed, whatever the schema says.
    if (scalar && scalar.wireType !== DELIMITED && wireType === DELIMITED) {
      const packed = new WireReader(reader.bytes())
      while (packed.at < packed.end) list.push(scalar.read(packed))
    } else {
      list.push(this.value(reader, field, wireType))
    }
    this.path.pop()
  }

  private value(reader: WireReader, { type }: Field, wireType: number): unknown {
    const scalar = typeof type === 'string' ? scalars[type] : undefined
    const expected = scalar?.wireType ?? DELIMITED
    if (wireType !== expected) throw new Error(`wire type ${wireType} instead of ${expected}`)
    if (scalar) return scalar.read(reader)
    return this.read(reader.bytes(), (type as () => Message<object>)())
  }

  private damaged(cause: unknown, at: number): GruvError {
    const place = this.path.length > 0 ? `${this.where()}, byte ${at}` : `byte ${at}`
    return new GruvError('bad-file', 'this is not the protocol buffer message it should be', {
      where: place,
      got: cause instanceof Error ? cause.message : String(cause),
      fix: 'The file was cut off or damaged, or is another kind of file.',
      cause,
    })
  }

  private tooMany(what: string, most: number): GruvError {
    return new GruvError('too-large', `the protocol buffer has too many ${what}`, {
      where: this.where(),
      expected: `at most ${most}`,
    })
  }

  /** The path without its middle: a file can make it of any length. */
  private where(): string {
    if (this.path.length <= 8) return this.path.join('.')
    return `${this.path.slice(0, 4).join('.')}…${this.path.slice(-4).join('.')}`
  }
}
