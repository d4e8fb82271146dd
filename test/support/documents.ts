/** The documents, and the blocks of code in them. */

import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../', import.meta.url))

export const documents: readonly string[] = [
  'README.md',
  'CONTRIBUTING.md',
  ...readdirSync(`${root}docs`).map((name) => `docs/${name}`),
]

export interface Block {
  readonly language: string
  readonly code: string
  readonly line: number
}

export function blocks(markdown: string): readonly Block[] {
  return [...markdown.matchAll(/^```(\w+)\n(.*?)^```$/gms)].map((match) => ({
    language: match[1],
    code: match[2],
    line: markdown.slice(0, match.index).split('\n').length,
  }))
}

/** Every `ts` block, by a file name that says where it stands. */
export function codeBlocks(): Readonly<Record<string, string>> {
  return Object.fromEntries(
    documents.flatMap((document) =>
      blocks(readFileSync(root + document, 'utf8'))
        .filter(({ language }) => language === 'ts')
        .map(({ code, line }) => [`${document}_${line}.ts`, code]),
    ),
  )
}
