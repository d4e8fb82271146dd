/** What the documents claim is executed: every `ts` block runs, every `sh` line with `gruv` ends well. */

import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { gruv } from './support/cli.ts'

const root = fileURLToPath(new URL('../', import.meta.url))
const documents = [
  'README.md',
  'CONTRIBUTING.md',
  ...readdirSync(`${root}docs`).map((name) => `docs/${name}`),
]

interface Block {
  readonly language: string
  readonly code: string
  readonly line: number
}

function blocks(markdown: string): readonly Block[] {
  return [...markdown.matchAll(/^```(\w+)\n(.*?)^```$/gms)].map((match) => ({
    language: match[1],
    code: match[2],
    line: markdown.slice(0, match.index).split('\n').length,
  }))
}

/** Inside the package, so that `gruv` resolves to it through its own exports. */
const scratch = `${root}.docs-block.mjs`
afterAll(() => rmSync(scratch, { force: true }))

const made = mkdtempSync(join(tmpdir(), 'gruv-docs-'))
afterAll(() => rmSync(made, { recursive: true, force: true }))

/** What a reader converts into the folder at hand goes into one of its own here. */
function elsewhere(words: readonly string[]): readonly string[] {
  return words[1] === 'convert' ? words.with(3, join(made, words[3])) : words
}

for (const document of documents) {
  const text = readFileSync(root + document, 'utf8')
  describe(document, () => {
    for (const { language, code, line } of blocks(text)) {
      if (language === 'ts') {
        it(`the code in line ${line} runs`, () => {
          writeFileSync(scratch, code)
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
