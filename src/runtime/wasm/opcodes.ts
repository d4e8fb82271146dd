import { unsigned, type ValueType } from './encoding.ts'

/**
 * The instructions that the kernels at hand are written in; `all-opcodes.ts` has the others. A line is a
 * run of consecutive opcodes of one type:
 *
 *     'first operands:result immediates': 'names'
 *
 * Names and numbers are the specification's ("Index of Instructions"), numbers in hexadecimal: the
 * opcode, or its prefix (`fc`, `fd`) and what follows it, before LEB128. Immediates: `alignN`, the
 * offset of N bytes in memory; `laneN`, one of N lanes; `lanes`, the 16 of a shuffle; a type, a
 * literal of it; `zero`, a byte that is always 0.
 *
 * The methods of `FunctionBody` take their types from here, so a new instruction is one line, and a
 * misspelled one does not compile. No kernel has asked for lanes of 8 and 16 bits, atomics or tables.
 */
export const opcodes = {
  i32: {
    '41 :i32 i32': 'const',
    '46 i32 i32:i32': 'eq ne',
    '49 i32 i32:i32': 'lt_u',
    '6a i32 i32:i32': 'add sub mul',
    '71 i32 i32:i32': 'and',
    '74 i32 i32:i32': 'shl',
    '76 i32 i32:i32': 'shr_u',
  },
  v128: {
    'fd00 i32:v128 align16': 'load',
    'fd09 i32:v128 align4': 'load32_splat',
    'fd0b i32 v128: align16': 'store',
    'fd0c :v128 v128': 'const',
    'fd51 v128 v128:v128': 'xor',
    'fd52 v128 v128 v128:v128': 'bitselect',
  },
  i8x16: {
    'fd0d v128 v128:v128 lanes': 'shuffle',
  },
  i32x4: {
    'fdab v128 i32:v128': 'shl shr_s',
    'fdae v128 v128:v128': 'add',
    'fdb1 v128 v128:v128': 'sub',
  },
  f32x4: {
    'fde4 v128 v128:v128': 'add sub mul div',
    'fdea v128 v128:v128': 'pmin pmax',
    'fd105 v128 v128 v128:v128': 'relaxed_madd relaxed_nmadd',
  },
} as const

export interface Instruction {
  readonly family: string
  readonly name: string
  readonly opcode: readonly number[]
  readonly immediates: readonly string[]
  readonly types: readonly ValueType[]
  readonly results: readonly ValueType[]
}

/** Runs of opcodes by family. */
export type Opcodes = Readonly<Record<string, Readonly<Record<string, string>>>>

/** A table, opcode by opcode. */
export function readOpcodes(table: Opcodes): readonly Instruction[] {
  return Object.entries(table).flatMap(([family, runs]) =>
    Object.entries(runs).flatMap(([run, names]) => {
      const [, prefix, first, types, result, immediates] = run.match(RUN) as string[]
      return words(names).map((name, i) => {
        const number = Number.parseInt(first, 16) + i
        return {
          family,
          name,
          opcode: prefix ? [Number.parseInt(prefix, 16), ...unsigned(number)] : [number],
          immediates: words(immediates),
          types: words<ValueType>(types),
          results: words<ValueType>(result),
        }
      })
    }),
  )
}

const RUN = /^(f[cd])?(\w+) (.*):(\w*) ?(.*)$/

function words<T extends string>(text: string): T[] {
  return text.split(' ').filter(Boolean) as T[]
}
