/** The types of the package for every TypeScript from 5.4 on, in projects of each kind. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { codeBlocks } from '../../support/documents.ts'
import { entriesImported, libraries, promises, resolutions } from '../../support/type-promises.ts'
import { type Installed, initDefaults, typeCheck } from '../../support/typescript.ts'
import { makeProject, Unavailable } from './project.ts'

const compilers = ['5.4.5', '5.5.4', '5.6.3', '5.7.3', '5.8.3', '5.9.3', '7.0.2']

const project = makeProject()
afterAll(() => project.remove(), 300_000)

const gruv = join(project.folder, 'node_modules/gruv')
const entries = entriesImported(JSON.parse(readFileSync(join(gruv, 'package.json'), 'utf8')))

function installed(version: string): Installed {
  // Types of Node that this TypeScript reads.
  const tool = join(project.tool(`typescript@${version}`, '@types/node@20.19.43'), 'node_modules')
  return { tsc: join(tool, 'typescript/bin/tsc'), gruv, types: join(tool, '@types') }
}

describe.each(compilers)('TypeScript %s', { timeout: 5 * 60_000 }, (version) => {
  /** A setting that a compiler does not know is left to the others. */
  const known = { ...initDefaults }
  if (version < '5.6') Reflect.deleteProperty(known, 'noUncheckedSideEffectImports')

  const errorsOf = (
    files: Readonly<Record<string, string>>,
    options: object,
  ): readonly string[] => {
    const { errors, read } = typeCheck(files, { ...known, ...options }, installed(version))
    if (errors.length === 0) expect(read.length).toBeGreaterThan(50)
    return errors
  }
  const skipping = (run: () => void, skip: (why: string) => void): void => {
    try {
      run()
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error
      skip(error.message)
    }
  }

  for (const [project, lib] of Object.entries(libraries)) {
    for (const [resolution, module] of Object.entries(resolutions)) {
      test(`checks the declarations, ${project}, as ${resolution}`, ({ skip }) =>
        skipping(() => {
          const strictest = { ...module, lib, types: [], skipLibCheck: false }
          expect(errorsOf({ 'entries.ts': entries }, strictest)).toEqual([])
        }, skip))
    }
  }

  test('compiles the documents, and knows what results have', ({ skip }) =>
    skipping(() => {
      expect(errorsOf({ ...codeBlocks(), 'promises.ts': promises }, {})).toEqual([])
    }, skip))
})
