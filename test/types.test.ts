/** What the types of the package promise: to which projects, and of which results. */

import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { entriesImported, libraries, promises, resolutions } from './support/type-promises.ts'
import { initDefaults, typeCheck } from './support/typescript.ts'

const manifest = JSON.parse(readFileSync('package.json', 'utf8'))
const entries = entriesImported(manifest)

describe.each(Object.entries(libraries))('a project %s', (_, lib) => {
  test.each(Object.entries(resolutions))(
    'that resolves as %s can check the declarations',
    (_, module) => {
      const strictest = { ...initDefaults, ...module, lib, types: [], skipLibCheck: false }
      const { errors, read } = typeCheck({ 'entries.ts': entries }, strictest)
      expect(errors).toEqual([])
      // Before 5.7 typed arrays have no arguments: TypeScript 5.4 would not read these declarations.
      const newer = read.filter((file) => /\b\w+Array<ArrayBuffer/.test(readFileSync(file, 'utf8')))
      expect(newer).toEqual([])
      expect(read.length).toBeGreaterThan(50)
    },
  )
})

test('results that are there are not undefined, and others are', () => {
  expect(typeCheck({ 'promises.ts': promises }, initDefaults).errors).toEqual([])
})
