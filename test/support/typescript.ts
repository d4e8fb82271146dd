/** Compiles a user's files against the package, with any TypeScript and any settings. */

import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../', import.meta.url))

/** What `tsc --init` of 5.9 and 7 writes, and Node's types, as its comment says for Node. */
export const initDefaults = {
  module: 'nodenext',
  target: 'esnext',
  types: ['node'],
  sourceMap: true,
  declaration: true,
  declarationMap: true,
  noUncheckedIndexedAccess: true,
  exactOptionalPropertyTypes: true,
  strict: true,
  jsx: 'react-jsx',
  verbatimModuleSyntax: true,
  isolatedModules: true,
  noUncheckedSideEffectImports: true,
  moduleDetection: 'force',
  skipLibCheck: true,
}

/** Where a project finds what it imports. */
export interface Installed {
  readonly tsc: string
  /** The folder of the package. */
  readonly gruv: string
  /** The folder that has `@types/node`. */
  readonly types: string
}

/** This clone, and the TypeScript that builds it. */
const here: Installed = {
  tsc: join(root, 'node_modules/typescript/bin/tsc'),
  gruv: root,
  types: join(root, 'node_modules/@types'),
}

export interface Checked {
  /** What the compiler prints of errors, a line each. */
  readonly errors: readonly string[]
  /** The declarations of gruv that it has read. */
  readonly read: readonly string[]
}

/** @param files texts by name; options of the compiler, which emits nothing. */
export function typeCheck(
  files: Readonly<Record<string, string>>,
  options: Readonly<Record<string, unknown>>,
  { tsc, gruv, types }: Installed = here,
): Checked {
  const project = mkdtempSync(join(tmpdir(), 'gruv-types-'))
  try {
    mkdirSync(join(project, 'node_modules'))
    // Junctions need no rights on Windows.
    symlinkSync(gruv, join(project, 'node_modules/gruv'), 'junction')
    symlinkSync(types, join(project, 'node_modules/@types'), 'junction')
    writeFileSync(join(project, 'package.json'), '{ "type": "module" }')
    const compilerOptions = { ...options, noEmit: true, listFiles: true }
    const config = { compilerOptions, files: Object.keys(files) }
    writeFileSync(join(project, 'tsconfig.json'), JSON.stringify(config))
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(project, name)), { recursive: true })
      writeFileSync(join(project, name), text)
    }
    const { stdout } = spawnSync(process.execPath, [tsc], { cwd: project, encoding: 'utf8' })
    const lines = stdout.split('\n').filter((line) => line !== '')
    const built = realpathSync(join(gruv, 'dist')).replaceAll('\\', '/')
    return {
      errors: lines.filter((line) => /\berror TS\d+/.test(line)),
      read: lines.filter((line) => line.startsWith(built)),
    }
  } finally {
    rmSync(project, { recursive: true, force: true })
  }
}
