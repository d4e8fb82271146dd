/** Declares the types of the assembler: what a kernel is written with. Nothing here runs. */

import type { ValueType } from './encoding.ts'
import type { instructions } from './instructions.ts'

declare const type: unique symbol

/** The code of a value that has been computed but not been used. It serves once. */
export interface Value<T extends ValueType = ValueType> {
  readonly [type]: T
}

export interface Local<T extends ValueType = ValueType> {
  readonly kind: 'local'
  readonly type: T
  readonly index: number
}

export interface Func<P extends readonly ValueType[] = readonly ValueType[]> {
  readonly index: number
  readonly params: P
}

/** Where a branch may go: the beginning of a loop. */
export interface Label {
  /** How many labels are around it. */
  readonly depth: number
}

/** A number stands for an `i32.const`, a local for its `local.get`. */
export type Operand<T extends ValueType = ValueType> = T extends 'i32'
  ? Value<'i32'> | Local<'i32'> | number
  : Value<'v128'> | Local<'v128'>

// The table of instructions, read as the types of methods.
type Words<S> = S extends `${infer Head} ${infer Tail}`
  ? [Head, ...Words<Tail>]
  : S extends ''
    ? []
    : [S]
type Immediate<W> = W extends 'zero'
  ? []
  : W extends `align${bigint}`
    ? [offset: number]
    : [numbers: readonly number[]]
type Immediates<W> = W extends [infer Head, ...infer Tail]
  ? [...Immediate<Head>, ...Immediates<Tail>]
  : []
type Operands<W extends readonly unknown[]> = {
  [I in keyof W]: W[I] extends ValueType ? Operand<W[I]> : never
}
type Result<R> = R extends ValueType ? Value<R> : undefined
type Method<Types, R, Rest> = (
  ...args: [...Immediates<Words<Rest>>, ...Operands<Words<Types>>]
) => Result<R>
type MethodOf<Run> = Run extends `${string} ${infer Types}:${infer Rest}`
  ? Rest extends `${infer R} ${infer I}`
    ? Method<Types, R, I>
    : Method<Types, Rest, ''>
  : never
type MethodsOf<Runs> = {
  readonly [Run in keyof Runs as Words<Runs[Run]>[number] & string]: MethodOf<Run>
}
type Table = typeof instructions
type Instructions = { readonly [Family in keyof Table]: MethodsOf<Table[Family]> }

/** The code of one function while it is written. No method needs `this`: take it apart freely. */
export interface FunctionBody extends Instructions {
  readonly local: {
    /** Declares one; it starts at zero. */
    <T extends ValueType>(type: T): Local<T>
    get<T extends ValueType>(local: Local<T>): Value<T>
    set<T extends ValueType>(local: Local<T>, value: Operand<NoInfer<T>>): undefined
    tee<T extends ValueType>(local: Local<T>, value: Operand<NoInfer<T>>): Value<T>
  }
  loop(inner: (label: Label) => unknown): undefined
  if(condition: Operand<'i32'>, then: () => unknown, otherwise?: () => unknown): undefined
  br_if(label: Label, condition: Operand<'i32'>): undefined
  call<P extends readonly ValueType[]>(func: Func<P>, ...operands: Operands<P>): undefined
}
