/** Keeps the rooms of the code: who may import whom, no circles, folders that stay small and documented. */

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { join, posix } from 'node:path'
import { parseSync } from 'oxc-parser'
import { describe, expect, test } from 'vitest'

interface Row {
  /** Files and folders of src/ that may be imported; a folder may import from itself anyway. */
  readonly may: readonly string[]
  /** npm packages that may be imported. */
  readonly packages?: readonly string[]
}

const manifest = JSON.parse(readFileSync('package.json', 'utf8'))
const ground = ['errors.ts', 'limits.ts', 'tensor.ts']
const entries = publicEntries()

/**
 * Who may import whom. Paths are those of src/ (studio/ lies beside it); a folder ends in `/`, and
 * the longest match rules.
 */
const table: Readonly<Record<string, Row>> = {
  'errors.ts': { may: [] },
  'limits.ts': { may: ['errors.ts'] },
  'tensor.ts': { may: ['errors.ts'] },
  'bytes/': { may: ground, packages: ['fflate', 'h5wasm'] },
  'data/': { may: [...ground, 'bytes/'] },
  'model/': { may: ground },
  'formats/': { may: [...ground, 'bytes/', 'model/', 'hdf5.ts'] },
  'runtime/': { may: [...ground, 'model/'] },
  // Planning knows no engine: a plan may be printed in any language.
  'runtime/plan/': { may: [...ground, 'model/'] },
  // It knows WebAssembly and nothing else, so that it can be read, and used, alone.
  'runtime/wasm/assembler/': { may: [] },
  'keyed/': { may: [...ground, 'runtime/'] },
  'verify/': { may: [...ground, 'runtime/', 'model/', 'bytes/'] },
  'trace/': { may: [...ground, 'runtime/', 'model/', 'bytes/'] },
  'diagnose/': { may: [...ground, 'runtime/', 'model/', 'bytes/', 'verify/'] },
  'report/': {
    may: [...ground, 'runtime/', 'model/', 'trace/', 'verify/', 'bytes/'],
    packages: ['fflate'],
  },
  'convert/': { may: [...ground, 'bytes/', 'formats/', 'runtime/', 'verify/', 'model/'] },
  // The same parts as `load` and `compile` of `index.ts`, all at hand.
  // What needs the HDF5 library; `formats/` and `convert/` fetch it by its public name.
  'hdf5.ts': { may: ['bytes/', 'formats/'] },
  'core/': { may: [...ground, 'bytes/', 'load/', 'model/', 'formats/', 'runtime/'] },
  'index.ts': { may: [...ground, 'load/', 'model/', 'formats/', 'runtime/', 'sync.ts'] },
  'sync.ts': { may: ['model/', 'runtime/'] },
  // Reference data in a file is checked on the user's device, where that is asked for.
  'load/': { may: [...ground, 'model/', 'formats/', 'verify/'] },
  // Both are users of the library: what they need and cannot import, others cannot have either.
  // Which links are followed is decided in one place, for `load` and for the studio's server.
  'cli/': {
    may: [...entries, 'load/links.node.ts'],
    packages: ['commander', 'cli-table3', 'cli-progress'],
  },
  'studio/': { may: entries, packages: ['preact', '@preact/signals'] },
}

describe('who imports whom', () => {
  const sources = readSources()

  test('every import follows the table', () => {
    expect(sources.size).toBeGreaterThan(0)
    expect(violations(sources)).toEqual([])
  })

  test('formats and runtime never meet, not even through others', () => {
    expect(reachable('formats/')).not.toContain('runtime/')
    expect(reachable('runtime/')).not.toContain('formats/')
  })

  test('every entry of package.json has its source', () => {
    expect(entries.filter((entry) => !sources.has(entry))).toEqual([])
  })
})

describe('circles', () => {
  test('no files import each other in a circle, be it by types alone', () => {
    expect(circles(readSources())).toEqual([])
  })

  test.each<[string, Record<string, string>, string]>([
    [
      'two files',
      { 'a.ts': "import './b.ts'", 'b.ts': "import type { A } from './a.ts'" },
      'a.ts → b.ts → a.ts',
    ],
    [
      'dynamic, behind a file outside',
      {
        'a.ts': "import './b.ts'",
        'b.ts': "export const c = () => import('./c.ts')",
        'c.ts': "export * from './b.ts'",
      },
      'b.ts → c.ts → b.ts',
    ],
    ['a file and itself', { 'a.ts': "import { a } from './a.ts'" }, 'a.ts → a.ts'],
  ])('finds: %s', (_, files, expected) => {
    expect(circles(new Map(Object.entries(files)))).toEqual([expected])
  })

  test('lets pass: two ways to one file', () => {
    const files = {
      'a.ts': "import './b.ts'\nimport './c.ts'",
      'b.ts': "import './c.ts'",
      'c.ts': '',
    }
    expect(circles(new Map(Object.entries(files)))).toEqual([])
  })
})

describe('folders', () => {
  const paths = [...readSources().keys()]

  test.each([
    ['runtime/', { folders: 10, files: 6 }],
    ['bytes/', { folders: Infinity, files: 12 }],
    ['formats/', { folders: Infinity, files: 12 }],
    ['model/', { folders: Infinity, files: 12 }],
  ])('%s stays small', (folder, most) => {
    const { folders, files } = contentOf(paths, folder)
    expect(files.length).toBeGreaterThan(0)
    expect(files.length, files.join(' ')).toBeLessThanOrEqual(most.files)
    expect(folders.length, folders.join(' ')).toBeLessThanOrEqual(most.folders)
  })

  test('the document has a row for each folder of the first two levels, and for no other', () => {
    const text = readFileSync('docs/architecture.md', 'utf8')
    const [, section] = /\n## Rooms\n(.*?)\n## /s.exec(text)!
    const rows = Array.from(section.matchAll(/^\| `([^`]+)` \|/gm), ([, name]) => name)
    const top = contentOf(
      paths.filter((path) => !path.startsWith('studio/')),
      '',
    )
    const second = top.folders.flatMap((folder) => contentOf(paths, folder).folders)
    expect(rows.sort()).toEqual([...top.files, ...top.folders, ...second, 'studio/'].sort())
  })

  test('the count tells files from folders', () => {
    expect(contentOf(['a/b.ts', 'a/c/d.ts', 'a/c/e.ts', 'f.ts'], 'a/')).toEqual({
      files: ['a/b.ts'],
      folders: ['a/c/'],
    })
  })
})

describe('the check itself', () => {
  const found = (path: string, text: string) => violations(new Map([[path, text]]))

  test.each([
    ['formats meets runtime', 'formats/a.ts', "import { plan } from '../runtime/plan.ts'"],
    ['over several lines', 'model/a.ts', "import {\n  a,\n  b,\n} from '../bytes/npy.ts'"],
    ['a type', 'model/a.ts', "import type { A } from '../bytes/npy.ts'"],
    ['a type in place', 'model/a.ts', "export type B = import('../bytes/npy.ts').A"],
    ['for its effect', 'model/a.ts', "import '../bytes/npy.ts'"],
    ['export from', 'model/a.ts', "export { a } from '../bytes/npy.ts'"],
    ['export all', 'model/a.ts', "export * from '../bytes/npy.ts'"],
    ['export all as', 'model/a.ts', "export * as npy from '../bytes/npy.ts'"],
    ['dynamic', 'model/a.ts', "export const a = () => import('../bytes/npy.ts')"],
    ['dynamic, a template', 'model/a.ts', 'export const a = () => import(`../bytes/npy.ts`)'],
    ['dynamic, computed', 'model/a.ts', 'export const a = (b: string) => import(b)'],
    ['a package in the core', 'runtime/a.ts', "import { unzip } from 'fflate'"],
    ['another package', 'bytes/a.ts', "import { Command } from 'commander'"],
    ['a Node built-in', 'bytes/a.ts', "import { readFile } from 'node:fs/promises'"],
    ['a Node built-in, old name', 'bytes/a.ts', "import { readFile } from 'fs'"],
    ['the command line past the entries', 'cli/a.ts', "import { plan } from '../runtime/plan.ts'"],
    ['planning an engine', 'runtime/plan/a.ts', "import type { Engine } from '../js/engine.ts'"],
    ['the assembler another folder', 'runtime/wasm/assembler/a.ts', "import '../kernels/gru.ts'"],
    ['an entry by its public name', 'model/a.ts', "export const a = () => import('gruv/hdf5')"],
    ['out of src/', 'model/a.ts', "import '../../test/a.ts'"],
    ['a folder without a row', 'novel/a.ts', ''],
    ['a top file without a row', 'novel.ts', ''],
  ])('finds: %s', (_, path, text) => {
    expect(found(path, text)).toHaveLength(1)
  })

  test.each([
    ['its own folder', 'model/a.ts', "import { b } from './deep/b.ts'"],
    ['back to its own folder', 'model/deep/b.ts', "import { a } from '../a.ts'"],
    ['Node in a file that says so', 'bytes/a.node.ts', "import { readFile } from 'node:fs'"],
    ['Node in the command line', 'cli/a.ts', "import { join } from 'node:path'"],
    ['a part of a package', 'bytes/a.ts', "import { unzip } from 'fflate/browser'"],
    ['a scoped package', 'studio/a.ts', "import { signal } from '@preact/signals'"],
    [
      'words in comments and strings',
      'model/a.ts',
      "// import '../bytes/npy.ts'\nf(`import 'fs'`)",
    ],
    ['the studio the public API', 'studio/a.ts', "import { load } from '../src/index.ts'"],
  ])('lets pass: %s', (_, path, text) => {
    expect(found(path, text)).toEqual([])
  })

  test('says where, what and what is allowed', () => {
    expect(found('tensor.ts', "\nimport './index.ts'")).toEqual([
      'tensor.ts:2 imports index.ts; tensor.ts may import: errors.ts',
    ])
  })
})

function violations(sources: ReadonlyMap<string, string>): string[] {
  const wrong: string[] = []
  for (const [path, text] of sources) {
    const name = rowOf(path)
    if (name === undefined) {
      wrong.push(`${path} has no row in the table of test/architecture.test.ts`)
      continue
    }
    const { may, packages = [] } = table[name]
    const allowed = [...(name.endsWith('/') ? [name] : []), ...may, ...packages]
    for (const { specifier, line } of importsOf(path, text)) {
      const target = resolve(path, specifier)
      if (isBuiltin(target) ? mayUseNode(path) : allowed.some((one) => covers(one, target)))
        continue
      wrong.push(
        `${path}:${line} imports ${target}; ${name} may import: ${allowed.join(' ') || 'nothing'}`,
      )
    }
  }
  return wrong
}

/** Files that import themselves through others: one way round for each file where a circle closes. */
function circles(sources: ReadonlyMap<string, string>): string[] {
  const found: string[] = []
  const done = new Set<string>()
  const visit = (path: string, way: readonly string[]): void => {
    const at = way.indexOf(path)
    if (at >= 0) found.push([...way.slice(at), path].join(' → '))
    if (at >= 0 || done.has(path)) return
    for (const { specifier } of importsOf(path, sources.get(path)!)) {
      const target = resolve(path, specifier)
      if (sources.has(target)) visit(target, [...way, path])
    }
    done.add(path)
  }
  for (const path of sources.keys()) visit(path, [])
  return found
}

/** What lies in a folder itself: paths of files, and of folders with a `/` behind. */
function contentOf(
  paths: readonly string[],
  folder: string,
): { readonly files: readonly string[]; readonly folders: readonly string[] } {
  const inside = paths
    .filter((path) => path.startsWith(folder))
    .map((path) => path.slice(folder.length))
  const files = inside.filter((path) => !path.includes('/'))
  const folders = inside
    .filter((path) => path.includes('/'))
    .map((path) => `${path.split('/')[0]}/`)
  return {
    files: files.map((path) => folder + path),
    folders: [...new Set(folders)].map((path) => folder + path),
  }
}

/** The most particular row, if any. */
function rowOf(path: string): string | undefined {
  const rows = Object.keys(table).filter((name) => covers(name, path))
  return rows.sort((a, b) => b.length - a.length)[0]
}

function covers(pattern: string, path: string): boolean {
  if (pattern.endsWith('/')) return path.startsWith(pattern)
  return path === pattern
}

function mayUseNode(path: string): boolean {
  return path.startsWith('cli/') || path.endsWith('.node.ts')
}

/** A path below src/, also of an entry by its public name, or a package's name. */
function resolve(from: string, specifier: string): string {
  if (specifier.startsWith('.')) {
    return posix.normalize(posix.join(posix.dirname(from), specifier)).replace(/^src\//, '')
  }
  if (isBuiltin(specifier)) return specifier
  if (specifier.startsWith('gruv/'))
    return sourceOf(manifest.exports[specifier.replace('gruv', '.')])
  const parts = specifier.split('/')
  return parts.slice(0, specifier.startsWith('@') ? 2 : 1).join('/')
}

interface Import {
  readonly specifier: string
  readonly line: number
}

/** Every module that a file names: import, export from, import(), types in place. */
function importsOf(path: string, text: string): Import[] {
  const { program, errors } = parseSync(path, text)
  if (errors.length > 0) throw new SyntaxError(`${path}: ${errors[0].message}`)
  const found: Import[] = []
  const visit = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return
    const { type, source, start } = node as { type?: string; source?: unknown; start: number }
    if (type !== undefined && /^(Import|Export|TSImport)/.test(type) && source) {
      found.push({ specifier: literal(source), line: text.slice(0, start).split('\n').length })
    }
    for (const child of Object.values(node)) visit(child)
  }
  visit(program)
  return found
}

/** A computed specifier could be anything, so it counts as something that no row allows. */
function literal(source: object): string {
  if ('value' in source && typeof source.value === 'string') return source.value
  if ('quasis' in source && Array.isArray(source.quasis) && source.quasis.length === 1) {
    return source.quasis[0].value.cooked
  }
  return '(computed)'
}

/** The rows that can be arrived at from a row. */
function reachable(from: string, seen: Set<string> = new Set()): Set<string> {
  for (const next of table[from].may) {
    if (seen.has(next) || !(next in table)) continue
    seen.add(next)
    reachable(next, seen)
  }
  return seen
}

function readSources(): Map<string, string> {
  const sources = new Map<string, string>()
  for (const [folder, prefix] of [
    ['src', ''],
    ['studio', 'studio/'],
  ]) {
    if (!existsSync(folder)) continue
    for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
      const path = file.replaceAll('\\', '/')
      if (!/\.[cm]?tsx?$/.test(path) || /(^|\/)(node_modules|dist)\//.test(path)) continue
      sources.set(prefix + path, readFileSync(join(folder, file), 'utf8'))
    }
  }
  return sources
}

/** The files of src/ that package.json offers to users. */
function publicEntries(): string[] {
  return Object.values<string>(manifest.exports)
    .filter((file) => file.endsWith('.js'))
    .map(sourceOf)
}

function sourceOf(built: string): string {
  return built.replace('./dist/', '').replace(/\.js$/, '.ts')
}
