/**
 * What the documents claim is executed: every `ts` block compiles and runs, every `sh` line with `gruv`
 * ends well.
 */

import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { transformSync } from 'esbuild'
import { afterAll, describe, expect, it } from 'vitest'
import { gruv } from './support/cli.ts'
import { blocks, codeBlocks, documents } from './support/documents.ts'
import { initDefaults, typeCheck } from './support/typescript.ts'

const root = fileURLToPath(new URL('../', import.meta.url))
/** Inside the package, so that `gruv` resolves to it through its own exports. */
const scratch = `${root}.docs-block.mjs`
afterAll(() => rmSync(scratch, { force: true }))

const made = mkdtempSync(join(tmpdir(), 'gruv-docs-'))
afterAll(() => rmSync(made, { recursive: true, force: true }))

/** What a reader converts into the folder at hand goes into one of its own here. */
function elsewhere(words: readonly string[]): readonly string[] {
  return words[1] === 'convert' ? words.with(3, join(made, words[3])) : words
}

it('the code compiles under what `tsc --init` writes', () => {
  const files = codeBlocks()
  expect(Object.keys(files)).not.toEqual([])
  expect(typeCheck(files, initDefaults).errors).toEqual([])
})

for (const document of documents) {
  const text = readFileSync(root + document, 'utf8')
  describe(document, () => {
    for (const { language, code, line } of blocks(text)) {
      if (language === 'ts') {
        it(`the code in line ${line} runs`, () => {
          writeFileSync(scratch, transformSync(code, { loader: 'ts' }).code)
          execFileSync(process.execPath, [scratch], { cwd: root, stdio: 'pipe' })
        })
      }
      if (language === 'sh') {
        for (const command of code.split('\n').filter((each) => each.startsWith('gruv '))) {
          it(`line ${line}: ${command}`, async () => {
            const [, ...args] = elsewhere(command.replace(/#.*/, '').trim().split(/\s+/))
            expect(await gruv(args)).toMatchObject({ code: 0 })
          })
        }
      }
      if (language === 'json') it(`the JSON in line ${line} is JSON`, () => void JSON.parse(code))
    }

    it('links to files that exist', () => {
      const folder = new URL(document, `file://${root}`)
      for (const [, target] of text.matchAll(/\]\((?!https?:)([^)#]+)/g)) {
        expect(() => readFileSync(new URL(target, folder)), target).not.toThrow()
      }
    })
  })
}
