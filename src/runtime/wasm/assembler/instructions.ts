/**
 * Lists the instructions that kernels are made of. A line is a run of consecutive opcodes of one
 * type:
 *
 *     'first operands:result immediates': 'names'
 *
 * Names and numbers are the specification's ("Index of Instructions"), numbers in hexadecimal: the
 * opcode, or its prefix (`fc`, `fd`) and what follows it, before LEB128. Immediates: `alignN`, an
 * access to N bytes of memory and its offset; `lanes`, the 16 of a shuffle; `words`, a vector as
 * four i32; `zero`, a byte that is always 0.
 *
 * The methods of `FunctionBody` take their types from here, and what they write, so a new
 * instruction is one line, and a misspelled one does not compile.
 */

import { unsigned } from './encoding.ts'

export const instructions = {
  i32: {
    '46 i32 i32:i32': 'eq ne',
    '49 i32 i32:i32': 'lt_u',
    '6a i32 i32:i32': 'add sub mul',
    '71 i32 i32:i32': 'and',
    '76 i32 i32:i32': 'shr_u',
  },
  memory: {
    'fc0a i32 i32 i32: zero zero': 'copy',
  },
  v128: {
    'fd00 i32:v128 align16': 'load',
    'fd09 i32:v128 align4': 'load32_splat',
    'fd0a i32:v128 align8': 'load64_splat',
    'fd0b i32 v128: align16': 'store',
    'fd0c :v128 words': 'const',
    'fd4e v128 v128:v128': 'and andnot or xor',
    'fd52 v128 v128 v128:v128': 'bitselect',
    'fd53 v128:i32': 'any_true',
  },
  i8x16: {
    'fd0d v128 v128:v128 lanes': 'shuffle',
  },
  i32x4: {
    'fd11 i32:v128': 'splat',
    'fd37 v128 v128:v128': 'eq',
    'fdab v128 i32:v128': 'shl shr_s',
    'fdae v128 v128:v128': 'add',
    'fdb1 v128 v128:v128': 'sub',
  },
  i64x2: {
    'fdcb v128 i32:v128': 'shl',
    'fdcd v128 i32:v128': 'shr_u',
    'fdce v128 v128:v128': 'add',
    'fdd1 v128 v128:v128': 'sub',
    'fdd6 v128 v128:v128': 'eq',
  },
  f32x4: {
    'fd41 v128 v128:v128': 'eq ne lt',
    'fd45 v128 v128:v128': 'le',
    'fde0 v128:v128': 'abs neg',
    'fde3 v128:v128': 'sqrt',
    'fde4 v128 v128:v128': 'add sub mul div min max pmin pmax',
    'fdfa v128:v128': 'convert_i32x4_s',
    'fd105 v128 v128 v128:v128': 'relaxed_madd relaxed_nmadd',
  },
  f64x2: {
    'fd47 v128 v128:v128': 'eq ne lt',
    'fd4b v128 v128:v128': 'le',
    'fdec v128:v128': 'abs neg',
    'fdef v128:v128': 'sqrt',
    'fdf0 v128 v128:v128': 'add sub mul div min max pmin pmax',
    'fd107 v128 v128 v128:v128': 'relaxed_madd relaxed_nmadd',
  },
} as const

export interface Instruction {
  readonly family: string
  readonly name: string
  readonly opcode: readonly number[]
  readonly immediates: readonly string[]
  /** Types of the operands, and of the result, if it has one. */
  readonly operands: readonly string[]
  readonly result: string
}

/** The table, instruction by instruction. */
export function listInstructions(): readonly Instruction[] {
  return Object.entries(instructions).flatMap(([family, runs]) =>
    Object.entries<string>(runs).flatMap(([run, names]) => {
      const [, prefix, first, operands, result, immediates] = RUN.exec(run) as readonly string[]
      return words(names).map((name, i) => {
        const number = Number.parseInt(first, 16) + i
        return {
          family,
          name,
          opcode: prefix ? [Number.parseInt(prefix, 16), ...unsigned(number)] : [number],
          immediates: words(immediates),
          operands: words(operands),
          result,
        }
      })
    }),
  )
}

const RUN = /^(f[cd])?(\w+) (.*):(\w*) ?(.*)$/

function words(text: string): readonly string[] {
  return text.split(' ').filter(Boolean)
}
