/** The types of the assembler: what a writer of kernels holds in its hands. Nothing here runs. */

import type { ValueType } from './encoding.ts'
import type { opcodes } from './opcodes.ts'

/** What an instruction left on the stack, and where the code that computes it begins and ends. */
export interface Value<T extends ValueType = ValueType> {
  readonly type: T
  readonly start: number
  readonly end: number
}

export interface Local<T extends ValueType = ValueType> {
  readonly kind: 'local'
  readonly type: T
  readonly index: number
}

export interface Func<
  P extends readonly ValueType[] = readonly ValueType[],
  R extends ValueType | undefined = ValueType | undefined,
> {
  readonly index: number
  readonly params: P
  readonly result: R
}

/** Where a branch may go: the end of a block, the beginning of a loop. */
export interface Label {
  /** How many are around it. */
  readonly depth: number
}

type Literal<T extends ValueType> = T extends 'v128' ? never : T extends 'i64' ? bigint : number
export type Operand<T extends ValueType = ValueType> = T extends ValueType
  ? Value<T> | Local<T> | Literal<T>
  : never

/** The shape of a vector, and its lanes or the one number in all of them. */
type VectorLiteral =
  | [shape: 'i32x4' | 'f32x4' | 'f64x2', lanes: number | readonly number[]]
  | [shape: 'i64x2', lanes: bigint | readonly bigint[]]

// The table of opcodes, read as the types of methods.
type Words<S> = S extends `${infer Head} ${infer Tail}`
  ? [Head, ...Words<Tail>]
  : S extends ''
    ? []
    : [S]
type Immediate<W> = W extends 'zero'
  ? []
  : W extends `align${bigint}`
    ? [offset: number]
    : W extends `lane${bigint}`
      ? [lane: number]
      : W extends 'lanes'
        ? [lanes: readonly number[]]
        : W extends 'v128'
          ? VectorLiteral
          : W extends 'i64'
            ? [value: number | bigint]
            : [value: number]
type Immediates<W> = W extends [infer Head, ...infer Tail]
  ? [...Immediate<Head>, ...Immediates<Tail>]
  : []
type Operands<W extends readonly unknown[]> = {
  [I in keyof W]: W[I] extends ValueType ? Operand<W[I]> : never
}
type Result<R> = R extends ValueType ? Value<R> : undefined
type Method<Types, R, Rest> = (
  ...args: [...Immediates<Words<Rest>>, ...([] | Operands<Words<Types>>)]
) => Result<R>
type MethodOf<Run> = Run extends `${string} ${infer Types}:${infer Rest}`
  ? Rest extends `${infer R} ${infer I}`
    ? Method<Types, R, I>
    : Method<Types, Rest, ''>
  : never
type MethodsOf<Runs> = {
  readonly [Run in keyof Runs as Words<Runs[Run]>[number] & string]: MethodOf<Run>
}
type Table = typeof opcodes
type Instructions = { readonly [Family in keyof Table]: MethodsOf<Table[Family]> }

type Inner = (label: Label) => unknown

/** The code of one function while it is written. No method needs `this`: take it apart freely. */
export interface FunctionBody extends Instructions {
  readonly local: {
    /** Declares one; it starts at zero. */
    <T extends ValueType>(type: T): Local<T>
    get<T extends ValueType>(local: Local<T>): Value<T>
    set<T extends ValueType>(local: Local<T>, ...value: [] | [Operand<NoInfer<T>>]): undefined
    tee<T extends ValueType>(local: Local<T>, ...value: [] | [Operand<NoInfer<T>>]): Value<T>
  }
  block(inner: Inner): undefined
  block<T extends ValueType>(result: T, inner: Inner): Value<T>
  loop(inner: Inner): undefined
  loop<T extends ValueType>(result: T, inner: Inner): Value<T>
  if(condition: Operand<'i32'>, then: Inner, otherwise?: Inner): undefined
  if<T extends ValueType>(result: T, condition: Operand<'i32'>, then: Inner, other: Inner): Value<T>
  /** Operand: the result of the block, if it has one. */
  br(label: Label, ...operands: readonly Operand[]): undefined
  /** Operands: the result of the block, if it has one, which then stays; the condition. */
  br_if(label: Label, ...operands: readonly Operand[]): undefined
  return(...result: readonly Operand[]): undefined
  unreachable(): undefined
  call<P extends readonly ValueType[], R extends ValueType | undefined>(
    func: Func<P, R>,
    ...operands: [] | Operands<P>
  ): Result<R>
  drop(...operand: [] | [Operand]): undefined
  select<T extends ValueType>(
    type: T,
    ...operands: [] | [Operand<NoInfer<T>>, Operand<NoInfer<T>>, Operand<'i32'>]
  ): Value<T>
}
