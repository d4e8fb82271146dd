import { unsigned, type ValueType } from './encoding.ts'

/**
 * Every instruction that can be written. A line is a run of consecutive opcodes of one type:
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
    '28 i32:i32 align4': 'load',
    '2d i32:i32 align1': 'load8_u',
    '36 i32 i32: align4': 'store',
    '3a i32 i32: align1': 'store8',
    '41 :i32 i32': 'const',
    '45 i32:i32': 'eqz',
    '46 i32 i32:i32': 'eq ne lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u',
    '67 i32:i32': 'clz ctz popcnt',
    '6a i32 i32:i32': 'add sub mul div_s div_u rem_s rem_u and or xor shl shr_s shr_u rotl rotr',
    'a7 i64:i32': 'wrap_i64',
    'bc f32:i32': 'reinterpret_f32',
    'fc00 f32:i32': 'trunc_sat_f32_s trunc_sat_f32_u',
    'fc02 f64:i32': 'trunc_sat_f64_s trunc_sat_f64_u',
  },
  i64: {
    '29 i32:i64 align8': 'load',
    '37 i32 i64: align8': 'store',
    '42 :i64 i64': 'const',
    '50 i64:i32': 'eqz',
    '51 i64 i64:i32': 'eq ne lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u',
    '79 i64:i64': 'clz ctz popcnt',
    '7c i64 i64:i64': 'add sub mul div_s div_u rem_s rem_u and or xor shl shr_s shr_u rotl rotr',
    'ac i32:i64': 'extend_i32_s extend_i32_u',
    'bd f64:i64': 'reinterpret_f64',
  },
  f32: {
    '2a i32:f32 align4': 'load',
    '38 i32 f32: align4': 'store',
    '43 :f32 f32': 'const',
    '5b f32 f32:i32': 'eq ne lt gt le ge',
    '8b f32:f32': 'abs neg ceil floor trunc nearest sqrt',
    '92 f32 f32:f32': 'add sub mul div min max copysign',
    'b2 i32:f32': 'convert_i32_s convert_i32_u',
    'b6 f64:f32': 'demote_f64',
    'be i32:f32': 'reinterpret_i32',
  },
  f64: {
    '2b i32:f64 align8': 'load',
    '39 i32 f64: align8': 'store',
    '44 :f64 f64': 'const',
    '61 f64 f64:i32': 'eq ne lt gt le ge',
    '99 f64:f64': 'abs neg ceil floor trunc nearest sqrt',
    'a0 f64 f64:f64': 'add sub mul div min max copysign',
    'b7 i32:f64': 'convert_i32_s convert_i32_u',
    'bb f32:f64': 'promote_f32',
    'bf i64:f64': 'reinterpret_i64',
  },
  memory: {
    'fc0a i32 i32 i32: zero zero': 'copy',
    'fc0b i32 i32 i32: zero': 'fill',
  },
  v128: {
    'fd00 i32:v128 align16': 'load',
    'fd09 i32:v128 align4': 'load32_splat',
    'fd0a i32:v128 align8': 'load64_splat',
    'fd0b i32 v128: align16': 'store',
    'fd0c :v128 v128': 'const',
    'fd4d v128:v128': 'not',
    'fd4e v128 v128:v128': 'and andnot or xor',
    'fd52 v128 v128 v128:v128': 'bitselect',
    'fd53 v128:i32': 'any_true',
    'fd56 i32 v128:v128 align4 lane4': 'load32_lane',
    'fd57 i32 v128:v128 align8 lane2': 'load64_lane',
    'fd5a i32 v128: align4 lane4': 'store32_lane',
    'fd5b i32 v128: align8 lane2': 'store64_lane',
    'fd5c i32:v128 align4': 'load32_zero',
    'fd5d i32:v128 align8': 'load64_zero',
  },
  i8x16: {
    'fd0d v128 v128:v128 lanes': 'shuffle',
    'fd0e v128 v128:v128': 'swizzle',
  },
  i32x4: {
    'fd11 i32:v128': 'splat',
    'fd1b v128:i32 lane4': 'extract_lane',
    'fd1c v128 i32:v128 lane4': 'replace_lane',
    'fd37 v128 v128:v128': 'eq ne lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u',
    'fda0 v128:v128': 'abs neg',
    'fda3 v128:i32': 'all_true bitmask',
    'fdab v128 i32:v128': 'shl shr_s shr_u',
    'fdae v128 v128:v128': 'add',
    'fdb1 v128 v128:v128': 'sub',
    'fdb5 v128 v128:v128': 'mul min_s min_u max_s max_u',
    'fdf8 v128:v128': 'trunc_sat_f32x4_s trunc_sat_f32x4_u',
    'fdfc v128:v128': 'trunc_sat_f64x2_s_zero trunc_sat_f64x2_u_zero',
    'fd10b v128 v128 v128:v128': 'relaxed_laneselect',
  },
  i64x2: {
    'fd12 i64:v128': 'splat',
    'fd1d v128:i64 lane2': 'extract_lane',
    'fd1e v128 i64:v128 lane2': 'replace_lane',
    'fdc0 v128:v128': 'abs neg',
    'fdc3 v128:i32': 'all_true bitmask',
    'fdc7 v128:v128':
      'extend_low_i32x4_s extend_high_i32x4_s extend_low_i32x4_u extend_high_i32x4_u',
    'fdcb v128 i32:v128': 'shl shr_s shr_u',
    'fdce v128 v128:v128': 'add',
    'fdd1 v128 v128:v128': 'sub',
    'fdd5 v128 v128:v128': 'mul eq ne lt_s gt_s le_s ge_s',
    'fd10c v128 v128 v128:v128': 'relaxed_laneselect',
  },
  f32x4: {
    'fd13 f32:v128': 'splat',
    'fd1f v128:f32 lane4': 'extract_lane',
    'fd20 v128 f32:v128 lane4': 'replace_lane',
    'fd41 v128 v128:v128': 'eq ne lt gt le ge',
    'fd5e v128:v128': 'demote_f64x2_zero',
    'fd67 v128:v128': 'ceil floor trunc nearest',
    'fde0 v128:v128': 'abs neg',
    'fde3 v128:v128': 'sqrt',
    'fde4 v128 v128:v128': 'add sub mul div min max pmin pmax',
    'fdfa v128:v128': 'convert_i32x4_s convert_i32x4_u',
    'fd105 v128 v128 v128:v128': 'relaxed_madd relaxed_nmadd',
  },
  f64x2: {
    'fd14 f64:v128': 'splat',
    'fd21 v128:f64 lane2': 'extract_lane',
    'fd22 v128 f64:v128 lane2': 'replace_lane',
    'fd47 v128 v128:v128': 'eq ne lt gt le ge',
    'fd5f v128:v128': 'promote_low_f32x4',
    'fd74 v128:v128': 'ceil floor',
    'fd7a v128:v128': 'trunc',
    'fd94 v128:v128': 'nearest',
    'fdec v128:v128': 'abs neg',
    'fdef v128:v128': 'sqrt',
    'fdf0 v128 v128:v128': 'add sub mul div min max pmin pmax',
    'fdfe v128:v128': 'convert_low_i32x4_s convert_low_i32x4_u',
    'fd107 v128 v128 v128:v128': 'relaxed_madd relaxed_nmadd',
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
